"""Sums over all ranks: over the network, or in memory that all of them see."""

import torch
from torch import Tensor

from textgen.training.neighbours import Neighbours
from textgen.training.ranks import Ranks


class Sum:
    """Values of which every rank has its own, and their sum, which is sent.

    Args:
        ranks: who they are.
        count: N.
        device: where the values are.
    """

    own: Tensor
    """What this rank adds, (N,)."""

    total: Tensor
    """What all ranks together have added, (N,), until something new is written to ``own``."""

    def __init__(self, ranks: Ranks, count: int, device: torch.device) -> None:
        self._ranks = ranks
        self.own = self.total = torch.zeros(count, device=device)

    def add_up(self) -> None:
        """Find the total.

        Raises:
            LostError: another rank is gone.
        """
        self._ranks.add_up(self.total)


class SharedSum(Sum):
    """The same, where nothing is sent: each rank adds up a part of the values for all.

    Args:
        ranks: who they are.
        neighbours: the same ranks.
        count: N.

    Raises:
        LostError: another rank is gone.
    """

    def __init__(self, ranks: Ranks, neighbours: Neighbours, count: int) -> None:
        self._ranks = ranks
        self._neighbours = neighbours
        with ranks.reaching():
            shared = neighbours.memory(ranks.size + 1, count)
        self.own, self._sum = shared[ranks.rank], shared[-1]
        self.total = torch.zeros(count)  # a copy, since who gets it clips it
        first, end = (count * rank // ranks.size for rank in (ranks.rank, ranks.rank + 1))
        *self._parts, self._part = shared[:, first:end]

    def add_up(self) -> None:
        """Find the total.

        Raises:
            LostError: another rank is gone.
        """
        with self._ranks.reaching():
            self._neighbours.wait()
            first, second, *others = self._parts
            torch.add(first, second, out=self._part)  # twice as fast as torch.sum
            for other in others:
                self._part.add_(other)
            self._neighbours.wait()
        self.total.copy_(self._sum)


def sum_of(ranks: Ranks, count: int, device: torch.device) -> Sum:
    """Return the quickest sum that these ranks can have.

    Raises:
        LostError: another rank is gone.
    """
    if ranks.neighbours is None or device.type != "cpu":
        return Sum(ranks, count, device)
    return SharedSum(ranks, ranks.neighbours, count)
