import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from textgen.text.permutation import Permutation


@given(count=st.integers(1, 3000), seed=st.integers(0, 100))
def test_each_number_stands_there_once(count: int, seed: int) -> None:
    order = Permutation(count, np.random.default_rng(seed))
    assert len(order) == count
    assert sorted(order[:].tolist()) == list(range(count))


@given(count=st.integers(1, 1000), first=st.integers(0, 1000), length=st.integers(0, 50))
def test_a_slice_is_one_of_the_whole(count: int, first: int, length: int) -> None:
    order = Permutation(count, np.random.default_rng(0))
    part = slice(first, first + length)
    assert order[part].tolist() == order[:][part].tolist()


def test_it_looks_random() -> None:
    count = 100_000
    numbers = Permutation(count, np.random.default_rng(1))[:]
    places = np.arange(count)
    assert abs(np.corrcoef(places, numbers)[0, 1]) < 0.02
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.02
    # A hundred stretches of the order fall into a hundred parts as evenly as dice would have it.
    hits = np.histogram2d(places, numbers, bins=100)[0]
    expected = count / hits.size
    assert abs(((hits - expected) ** 2 / expected).sum() / hits.size - 1) < 0.1
