"""No place sees its own future, neither in what is learned from nor in what is read."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgen.counts.experts import Expert, Experts, consult
from textgen.counts.histories import Histories
from textgen.counts.reading import BLOCKS, Blocks, Reading
from textgen.text.vocab import TokenIds

V, K = 3, 4
FREQUENCIES = np.array([0.5, 0.3, 0.2])
SKIPS = 2
TEXTS = st.lists(st.integers(0, V - 1), min_size=BLOCKS, max_size=120).map(
    lambda ids: np.array(ids, np.int32)
)


def histories(tokens: TokenIds) -> Histories:
    return Histories.of(tokens, V, K, SKIPS)


def in_training(tokens: TokenIds, place: int, *, hidden: bool) -> Experts:
    seen = Blocks(tokens, histories(tokens)).seen(np.array([place]), np.array([hidden]))
    return consult(seen, FREQUENCIES)


def same(one: Experts | Expert, other: Experts | Expert) -> bool:
    """Return whether two say the same, to the last bit."""
    for field in fields(one):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        if field.name == "histories":
            if not all(map(same, ours, theirs)):
                return False
        elif field.name == "groups":
            if ours != theirs:
                return False
        elif not np.array_equal(ours, theirs):
            return False
    return True


def block_of(tokens: TokenIds, place: int) -> tuple[int, int]:
    borders = np.arange(BLOCKS + 1) * len(tokens) // BLOCKS
    block = int(np.searchsorted(borders, place, "right")) - 1
    return int(borders[block]), int(borders[block + 1])


def changed(tokens: TokenIds, data: st.DataObject, first: int, last: int) -> TokenIds:
    """Return a text with other tokens from a place on and before another one."""
    copy = tokens.copy()
    count = max(0, last - first)
    others = data.draw(st.lists(st.integers(0, V - 1), min_size=count, max_size=count))
    copy[first : first + count] = others
    return copy


@given(TEXTS, st.data())
@settings(max_examples=100)
def test_in_the_training_text_the_rest_of_the_own_block_is_unseen(
    tokens: TokenIds, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(tokens) - 1))
    _, end = block_of(tokens, place)
    other = changed(tokens, data, place, end)
    for hidden in (False, True):
        ours = in_training(tokens, place, hidden=hidden)
        assert same(ours, in_training(other, place, hidden=hidden))


@given(TEXTS, st.data())
@settings(max_examples=100)
def test_where_the_own_block_is_hidden_only_the_history_of_it_is_seen(
    tokens: TokenIds, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(tokens) - 1))
    since, _ = block_of(tokens, place)
    other = changed(tokens, data, since, place - K)
    hidden = in_training(tokens, place, hidden=True)
    assert same(hidden, in_training(other, place, hidden=True))
    assert not hidden.inputs[0, -3:].any()
    assert not hidden.inputs[0, 2 * K : 4 * K].any()


def test_what_stands_in_the_other_blocks_and_before_the_place_is_seen() -> None:
    tokens = np.array([0, 1] * 40 + [0, 2] * 10, np.int32)  # the last two blocks are others
    inner, later = (in_training(tokens, place, hidden=False) for place in (51, 99))
    hidden = in_training(tokens, 99, hidden=True)
    # After 0 alone: all but the rest of the own block, 51 to 59, and one that reaches out of it.
    assert np.expm1(inner.inputs[0, 0]).round() == 50 - 5
    assert np.expm1(later.inputs[0, 0]).round() == 49
    assert np.expm1(hidden.inputs[0, 0]).round() == 45
    assert np.expm1(later.inputs[0, -3:]).round().tolist() == [0, 0, 0]  # 9 tokens: no stride yet


@given(TEXTS, TEXTS, TEXTS, st.data())
@settings(max_examples=30)
def test_what_is_read_is_not_seen_before_it_is(
    learned: TokenIds, tokens: TokenIds, before: TokenIds, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(tokens) - 1))
    texts = tokens, changed(tokens, data, place, len(tokens))
    one, other = (
        consult(
            Reading(histories(learned), text, before).seen(np.arange(place + 1)),
            FREQUENCIES,
        )
        for text in texts
    )
    assert same(one, other)


@given(TEXTS, TEXTS, TEXTS, st.data())
@settings(max_examples=30)
def test_where_the_text_is_hidden_only_its_last_tokens_are_seen(
    learned: TokenIds, tokens: TokenIds, before: TokenIds, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(tokens) - 1))
    kept = max(0, place - K)
    other = changed(changed(tokens, data, 0, kept), data, place, len(tokens))
    one, two = (
        consult(
            Reading(histories(learned), text, before).seen(np.array([place]), hidden=True),
            FREQUENCIES,
        )
        for text in (tokens, other)
    )
    assert same(one, two)


@given(TEXTS, TEXTS, TEXTS)
@settings(max_examples=30)
def test_after_all_that_was_read_is_at_its_end(
    learned: TokenIds, tokens: TokenIds, before: TokenIds
) -> None:
    reading = Reading(histories(learned), tokens, before)
    after = reading.seen_after(np.concatenate([before, tokens])[None, -K:])
    at_end = reading.seen(np.array([len(tokens)]))
    assert np.array_equal(after.latest, at_end.latest)
    for ours, theirs in zip(after.followed, at_end.followed, strict=True):
        assert np.array_equal(ours.keys(V), theirs.keys(V))
        assert np.array_equal(ours.counts, theirs.counts)
    assert after.until.tolist() == [len(tokens)]  # but for the windows' stride


@pytest.mark.parametrize("count", [10, 1000])
def test_windows_see_nearly_all_that_stands_before(count: int) -> None:
    tokens = np.arange(count, dtype=np.int32) % V
    places = np.arange(count)
    nothing = np.zeros(count, bool)
    for seen in (
        Reading(histories(tokens), tokens, tokens[:0]).seen(places),
        Blocks(tokens, histories(tokens)).seen(places, nothing),
    ):
        assert ((places - seen.until >= 0) & (places - seen.until < 16)).all()
        assert (seen.until >= seen.since).all()
        assert (seen.since <= places).all()
