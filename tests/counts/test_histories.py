"""What followed what, against a plain dictionary."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.counts.histories import Followed, Histories
from textgen.text.vocab import TokenIds

V, K, S = 4, 5, 2
SPANS = [(k, 0) for k in range(1, K + 1)] + [(3, 1), (3, 2)]
TEXTS = st.lists(st.integers(0, V - 1), max_size=50)

Table = dict[tuple[int, ...], Counter[int]]


def ids(tokens: Iterable[int]) -> TokenIds:
    return np.array(list(tokens), np.int32)


def plain(tokens: list[int], span: tuple[int, int], places: Iterable[int]) -> Table:
    """Return what followed each history of k tokens, some skipped, at some places."""
    table: Table = defaultdict(Counter)
    for place in places:
        if place >= sum(span):
            table[history(tokens[:place], span)][tokens[place]] += 1
    return table


def history(recent: list[int], span: tuple[int, int]) -> tuple[int, ...]:
    """Return the k tokens that end a list, but for those that are skipped."""
    k, skipped = span
    end = len(recent) - skipped
    return tuple(recent[end - k : end])


def rows_of(followed: Followed, count: int) -> list[Counter[int]]:
    """Return what followed at each place, having seen that it is in order."""
    assert (np.diff(followed.keys(V)) > 0).all()
    assert (followed.counts > 0).all()
    rows: list[Counter[int]] = [Counter() for _ in range(count)]
    triples = zip(followed.rows, followed.tokens, followed.counts, strict=True)
    for row, token, times in triples:
        rows[int(row)][int(token)] = int(times)
    return rows


def recents(tokens: list[int]) -> list[list[int]]:
    """Return the last K tokens before every place, the last one after the end."""
    return [([-1] * K + tokens)[place : place + K] for place in range(len(tokens) + 1)]


@given(TEXTS, TEXTS)
def test_what_followed_any_history(tokens: list[int], asked: list[int]) -> None:
    histories = Histories.of(ids(tokens), V, K, S)
    recent = recents(asked)
    assert histories.spans == SPANS
    for which, numbers in enumerate(histories.find(np.array(recent)), start=1):
        table = plain(tokens, SPANS[which - 1], range(len(tokens)))
        found = rows_of(histories.followed(which, numbers), len(recent))
        assert found == [table.get(history(row, SPANS[which - 1]), Counter()) for row in recent]


@given(TEXTS)
def test_what_stands_before_a_place_is_found_there(tokens: list[int]) -> None:
    histories = Histories.of(ids(tokens), V, K, S)
    found = histories.find(np.array(recents(tokens)))
    for positions, followers, numbers in zip(
        histories.positions, histories.followers, found, strict=True
    ):
        assert np.array_equal(positions.histories, numbers)
        assert (numbers[: len(tokens)] <= followers.none).all()


@given(TEXTS, st.data())
def test_a_stretch_can_be_left_out(tokens: list[int], data: st.DataObject) -> None:
    histories = Histories.of(ids(tokens), V, K, S)
    recent = recents(tokens)
    borders = st.tuples(*[st.integers(0, len(tokens) + K)] * 2).map(sorted)
    first, last = data.draw(borders)
    for which, numbers in enumerate(histories.find(np.array(recent)), start=1):
        positions = histories.positions[which - 1]
        begin, end = positions.before(numbers, np.array([[first], [last]]))
        found = rows_of(histories.followed(which, numbers, (begin, end)), len(recent))
        kept = [place for place in range(len(tokens)) if not first <= place < last]
        table = plain(tokens, SPANS[which - 1], kept)
        assert found == [table.get(history(row, SPANS[which - 1]), Counter()) for row in recent]


@given(TEXTS, TEXTS, TEXTS)
def test_two_texts_add_up(one: list[int], other: list[int], asked: list[int]) -> None:
    recent = np.array(recents(asked))
    texts = [Histories.of(ids(tokens), V, K, S) for tokens in (one, other)]
    for which in range(1, K + S + 1):
        first, second = (text.followed(which, text.find(recent)[which - 1]) for text in texts)
        found = rows_of(first.with_added(second, V), len(recent))
        both = zip(rows_of(first, len(recent)), rows_of(second, len(recent)), strict=True)
        assert found == [ours + theirs for ours, theirs in both]


@pytest.mark.parametrize("tokens", [[], [3], [3, 3], [2] * 9])
def test_hardly_any_text(tokens: list[int]) -> None:
    histories = Histories.of(ids(tokens), V, K, S)
    for which, numbers in enumerate(
        histories.find(np.array([tokens[-1:] * K or [1] * K])), start=1
    ):
        times = max(0, len(tokens) - sum(SPANS[which - 1]))
        assert rows_of(histories.followed(which, numbers), 1) == [
            Counter({tokens[0]: times} if times else {})
        ]


def test_fewer_tokens_than_a_history_has_none() -> None:
    histories = Histories.of(ids([1, 2, 1, 2, 1]), V, K, S)
    numbers = histories.find(np.array([[1, 2]]))
    unknown = [int(n[0]) == f.none for n, f in zip(numbers, histories.followers, strict=True)]
    assert unknown == [False, False, True, True, True, True, True]
