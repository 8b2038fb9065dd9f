"""What of a text is counted: where its tokens stand, and what that is worth."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.counts.excerpt import Excerpt
from textgen.counts.learned import Learned
from textgen.counts.reading import BLOCKS


@given(st.integers(0, 300), st.none() | st.integers(BLOCKS, 300))
def test_every_token_is_found_where_it_stands(count: int, most: int | None) -> None:
    tokens = np.arange(1000, 1000 + count, dtype=np.int32)
    excerpt = Excerpt.of(count, most)
    taken = excerpt.take(tokens)
    where, inside = excerpt.find(np.arange(count))
    assert inside.sum() == len(taken) == excerpt.counted
    assert np.array_equal(taken[where[inside]], tokens[inside])
    if most is None or count <= most:
        assert inside.all()
    else:
        assert most - BLOCKS < len(taken) <= most
        parts = np.arange(BLOCKS + 1) * count // BLOCKS
        counted = [inside[first:end] for first, end in pairwise(parts)]
        assert {int(part.sum()) for part in counted} == {len(taken) // BLOCKS}  # of each the same
        assert all((np.diff(part.astype(int)) <= 0).all() for part in counted)  # its beginning


@pytest.mark.parametrize("most", [1000, 5000])
def test_frequencies_are_the_whole_texts_and_histories_the_excerpts(most: int) -> None:
    tokens = np.random.default_rng(0).integers(0, 9, 4000, dtype=np.int32)
    learned, whole = Learned.of(tokens, 9, most), Learned.of(tokens, 9)
    assert np.array_equal(learned.frequencies, whole.frequencies)
    followed = int(learned.histories.followers[0].counts.sum())
    assert followed == min(most, 4000) - 1
