"""Ranks on one machine: what one writes, the others read, and nobody goes on alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import TypeVar

import pytest
import torch

from textgen.training.neighbours import Door, Neighbours, here, knock
from textgen.training.ranks import Ranks
from textgen.training.sums import SharedSum

pytestmark = pytest.mark.skipif(here() is None, reason="only on Linux")

SIZE = 3

Found = TypeVar("Found")


@pytest.fixture
def all_three() -> Iterator[list[Neighbours]]:
    """Return three ranks as each of them sees the others; here they are threads."""
    with ExitStack() as stack:
        with closing(Door(SIZE - 1)) as door:
            others = [knock(door.name) for _ in range(SIZE - 1)]
            found = [Neighbours(door.let_in(), is_first=True)]
        found += [Neighbours([first], is_first=False) for first in others]
        for one in found:
            stack.callback(one.close)
        yield found


def each(do: Callable[[int], Found]) -> list[Found]:
    """Return what each rank comes to, all of them at once."""
    with ThreadPoolExecutor(SIZE) as pool:
        return list(pool.map(do, range(SIZE)))


class FakeRanks(Ranks):
    """One of several that are only numbers."""

    def __init__(self, rank: int) -> None:
        self.rank, self.size = rank, SIZE

    @contextmanager
    def reaching(self) -> Iterator[None]:
        yield


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_all_find_the_same_sum_step_after_step(all_three: list[Neighbours], count: int) -> None:
    """Whoever is quicker; also of fewer values than there are ranks."""
    values = torch.randn(50, SIZE, count)

    def totals(rank: int) -> list[torch.Tensor]:
        shared = SharedSum(FakeRanks(rank), all_three[rank], count)
        found = []
        for step in values:
            shared.own.copy_(step[rank])
            shared.add_up()
            found.append(shared.total.clone())
            shared.total.zero_()  # which is nobody else's affair
        return found

    first, *others = each(totals)
    torch.testing.assert_close(torch.stack(first), values.sum(1))
    for other in others:
        assert torch.equal(torch.stack(other), torch.stack(first))


def test_memory_begins_with_zeros(all_three: list[Neighbours]) -> None:
    assert each(lambda rank: all_three[rank].memory(2, 3).tolist()) == [[[0.0] * 3] * 2] * SIZE


@pytest.mark.parametrize("gone", range(SIZE))
def test_who_waits_for_one_that_is_gone_hears_it(all_three: list[Neighbours], gone: int) -> None:
    def wait(rank: int) -> None:
        with closing(all_three[rank]):  # as its process ends
            if rank != gone:
                with pytest.raises(ConnectionError):
                    all_three[rank].wait()

    each(wait)
