"""No history looks past an end: a text of items is counted as the items are, one by one."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.counts.test_histories import SPANS, K, S, V, history, ids, rows_of
from textgen.counts.histories import Histories
from textgen.counts.reading import BLOCKS, Blocks

END = 0
TEXTS = st.lists(st.integers(0, V - 1), max_size=60)


def own(tokens: list[int]) -> list[int]:
    """Return what of some tokens belongs to the last item, with the end before it."""
    last = max((place for place, token in enumerate(tokens) if token == END), default=0)
    return tokens[last:]


def followed_by(
    tokens: list[int], places: list[int], span: tuple[int, int], asked: list[int]
) -> Counter[int]:
    """Return what followed a history at some places, as plainly as can be."""
    if len(own(asked)) < sum(span):
        return Counter()
    same = history(own(asked), span)
    return Counter(
        tokens[place]
        for place in places
        if len(own(tokens[:place])) >= sum(span) and history(own(tokens[:place]), span) == same
    )


@given(TEXTS, TEXTS)
def test_what_followed_any_history(tokens: list[int], asked: list[int]) -> None:
    histories = Histories.of(ids(tokens), V, K, S, END)
    recent = [([-1] * K + asked)[place : place + K] for place in range(len(asked) + 1)]
    for which, numbers in enumerate(histories.find(np.array(recent)), start=1):
        found = rows_of(histories.followed(which, numbers), len(recent))
        for row, counts in enumerate(found):
            every = list(range(len(tokens)))
            assert counts == followed_by(tokens, every, SPANS[which - 1], asked[:row])


@given(st.lists(st.integers(0, V - 1), min_size=1, max_size=60))
def test_in_the_text_itself_the_other_blocks_count(tokens: list[int]) -> None:
    tokens = [END, *tokens]
    histories = Histories.of(ids(tokens), V, K, S, END)
    places = np.arange(len(tokens))
    seen = Blocks(ids(tokens), histories).seen(places, np.ones(len(places), np.bool_))
    borders = np.arange(BLOCKS + 1) * len(tokens) // BLOCKS
    block = np.searchsorted(borders, places, "right") - 1
    for which, followed in enumerate(seen.followed):
        span = SPANS[which]
        for place, counts in enumerate(rows_of(followed, len(places))):
            since, end = borders[block[place]], borders[block[place] + 1] + sum(span)
            others = [other for other in places.tolist() if not since <= other < end]
            assert counts == followed_by(tokens, others, span, tokens[:place])
    assert (seen.latest == -1).all()


@given(TEXTS)
def test_where_there_is_no_end_nothing_is_different(tokens: list[int]) -> None:
    tokens = [token + 1 for token in tokens]
    plain, items = (Histories.of(ids(tokens), V + 1, K, S, end) for end in (None, END))
    for ours, theirs in zip(items.followers, plain.followers, strict=True):
        assert all(np.array_equal(vars(ours)[name], vars(theirs)[name]) for name in vars(ours))
