"""Mini-batches of items: each begins with a fresh state, and what rows are filled up with is told.

Items of similar length stand side by side, so that rows are filled up by little. A batch has about
as many tokens as one of a text that goes on, B T: of short items it has more rows, and fewer
columns. Items longer than T go on in the next batches, with the state, which share their columns
evenly: a batch of a column or two would have little to learn from.

Shapes: N tokens, I items, R rows of a batch, at most T columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from textgen.text.batches import Batch
from textgen.text.tokens import Tokens
from textgen.text.vocab import TokenIds

PADDING = -1
"""In the place of a target where a row has ended."""


@dataclass(frozen=True)
class Spans:
    """Where items stand in a text that begins with an end: each from the end before it on."""

    begins: NDArray[np.int64]
    """Of each the place of the end before it, (I,): what is read when its first token is next."""

    lengths: NDArray[np.int64]
    """Its tokens with its own end, (I,)."""

    @classmethod
    def of(cls, tokens: TokenIds, end: int) -> "Spans":
        """Return those of a text.

        Args:
            tokens: ids (N,), the first of them an end.
            end: the id of what closes an item; the last one may be open.
        """
        begins = np.flatnonzero(tokens[:-1] == end)
        return cls(begins, np.diff(np.append(begins, len(tokens) - 1)))


class ItemBatches:
    """The items of a text in another order every epoch, each of them once.

    Args:
        tokens: ids (N,), or whatever stands for them, the first of them an end.
        spans: where the items stand.
        batch_size: B, rows of a batch whose items are as long as it.
        num_steps: T, columns of a batch at most.
        seed: what the order of every epoch follows from, together with its number.
        device: where batches are wanted; where the ids are, when not given.
    """

    pads: ClassVar[bool] = True

    def __init__(
        self,
        tokens: Tokens,
        spans: Spans,
        batch_size: int,
        num_steps: int,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        self.tokens = tokens
        self.device = device
        self._spans = spans
        self._num_steps = num_steps
        self._seed = seed
        self._groups = list(_groups(np.sort(spans.lengths)[::-1], batch_size, num_steps))
        self._drawn = lru_cache(2)(self._draw)

    def num_batches(self, epoch: int) -> int:
        """Return how many batches an epoch has: in each as many."""
        return len(self._drawn(epoch)[1])

    def goes_on(self, epoch: int, batch: int) -> bool:
        """Return whether the rows of a batch go on where those of the batch before stopped."""
        batches = self._drawn(epoch)[1]
        return batch < len(batches) and batches[batch][1][0] > 0

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches (x, y), (R, T), from batch number ``start`` on.

        Where a row has ended, y is ``PADDING``, and x anything.
        """
        order, batches = self._drawn(epoch)
        for rows, columns in batches[start:]:
            items = order[rows]
            lengths = self._spans.lengths[items]
            there = columns < lengths[:, None]
            places = np.where(there, self._spans.begins[items][:, None] + columns, 0)
            x = torch.as_tensor(self.tokens[places], device=self.device)
            y = torch.as_tensor(self.tokens[places + 1], device=self.device)
            yield x, y.where(torch.as_tensor(there, device=y.device), PADDING)

    def _draw(self, epoch: int) -> tuple[NDArray[np.int64], list[tuple[slice, NDArray[np.int64]]]]:
        """Return the order of an epoch's items, and of each batch its items and its columns."""
        generator = np.random.default_rng((self._seed, epoch))
        order = generator.permutation(len(self._spans.lengths))
        # Those of one length stay in the order that was drawn.
        order = order[np.argsort(-self._spans.lengths[order], kind="stable")]
        groups = (self._groups[place] for place in generator.permutation(len(self._groups)))
        return order, [
            (rows, columns)
            for rows, longest in groups
            for columns in np.array_split(np.arange(longest), -(-longest // self._num_steps))
        ]


def _groups(
    lengths: NDArray[np.int64], batch_size: int, num_steps: int
) -> Iterator[tuple[slice, int]]:
    """Yield which of the items, whose lengths fall, stand side by side, and the longest length."""
    first = 0
    while first < len(lengths):
        longest = int(lengths[first])
        rows = batch_size * num_steps // min(longest, num_steps)
        yield slice(first, first + rows), longest
        first += rows
