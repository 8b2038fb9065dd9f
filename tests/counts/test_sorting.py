"""In order is in order, whether numbers and places fit together or not."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textgen.counts.sorting import begins, in_order, which

BIG = 2**62  # too big for a place behind it


@given(st.lists(st.integers(0, 5) | st.integers(BIG - 3, BIG + 3), max_size=40))
def test_equal_numbers_stay_in_order(numbers: list[int]) -> None:
    ordered, places = in_order(np.array(numbers, np.int64))
    expected = sorted(range(len(numbers)), key=numbers.__getitem__)
    assert places.tolist() == expected
    assert ordered.tolist() == [numbers[place] for place in expected]
    distinct, inverse = np.unique(np.array(numbers, np.int64), return_inverse=True)
    assert np.array_equal(ordered[begins(ordered)], distinct)
    assert np.array_equal(which(begins(ordered), places), inverse)
