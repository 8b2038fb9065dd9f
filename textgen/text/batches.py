"""The two ways to cut a long text into mini-batches.

Shapes: B rows in a batch, T steps in a row, N tokens in the text. ``x`` and ``y`` are (B, T);
``y`` is ``x`` one token later. Source: Dive into Deep Learning (zh.d2l.ai), chapter 8.3.

A batch is places first: where the tokens of its rows stand, (B, T + 1). Then those are looked up,
wherever they lie: so the text need not be in memory, and who asks for the places has them.

The order of an epoch follows from (seed, epoch) alone, so a position in the data is two whole
numbers, epoch and batch, and going on from it needs no random generator's state.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from textgen.errors import TextgenError
from textgen.text.permutation import Permutation
from textgen.text.tokens import Places, Tokens

Batch = tuple[Tensor, Tensor]

_MANY = 2**22
"""Pieces of a text from which on their order is computed, a batch at a time: in memory it would
take eight bytes each."""


class TooShortError(TextgenError):
    """The text is too short for one batch.

    Args:
        template: says how long it is, and how long it must be.
        needed: tokens needed.
        values: what else is put in.
    """

    def __init__(self, template: str, /, needed: int, **values: object) -> None:
        super().__init__(template, needed=needed, **values)
        self.needed = needed


class Batches(Protocol):
    """What the training loop asks of its data."""

    @property
    def pads(self) -> bool:
        """Whether rows may end before their batch does: then y is below 0 there."""

    def goes_on(self, epoch: int, batch: int) -> bool:
        """Return whether row r of a batch goes on where row r of the batch before it stopped."""

    def num_batches(self, epoch: int) -> int:
        """Return how many batches an epoch has."""

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches (x, y), from batch number ``start`` on."""


class TextBatches(ABC):
    """What both ways share: the tokens, a batch's shape, and the seed.

    ``for x, y in batches`` goes through an epoch, and each time through the next one.

    Args:
        tokens: ids (N,).
        batch_size: B, rows in a batch.
        num_steps: T, tokens in a row.
        seed: what the random numbers of every epoch follow from, together with its number.
        device: where batches are wanted; where the ids are, when not given.

    Raises:
        TooShortError: the text is too short for one batch.
    """

    pads: ClassVar[bool] = False
    carries_state: ClassVar[bool]
    """Whether row r of a batch goes on where row r of the batch before it stopped."""

    def __init__(
        self,
        tokens: Tokens,
        batch_size: int,
        num_steps: int,
        seed: int = 0,
        device: torch.device | None = None,
    ) -> None:
        self.tokens = tokens
        self.device = device
        self.batch_size = batch_size
        self.num_steps = num_steps
        self.seed = seed
        self._next_epoch = 0
        needed = batch_size * num_steps + self._max_offset + 1
        if len(self.tokens) < needed:
            raise TooShortError(
                "{count:,} tokens to train on, and a batch of {batch_size} rows of "
                "{num_steps} steps needs {needed:,}",
                needed=needed,
                count=len(self.tokens),
                batch_size=batch_size,
                num_steps=num_steps,
            )

    @property
    @abstractmethod
    def _max_offset(self) -> int:
        """The highest start offset."""

    def _draw(self, epoch: int) -> tuple[np.random.Generator, int]:
        """Return an epoch's generator, and its first number: the start offset."""
        generator = np.random.default_rng((self.seed, epoch))
        return generator, int(generator.integers(self._max_offset + 1))

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of an epoch: of the first one, and each time of the next."""
        epoch, self._next_epoch = self._next_epoch, self._next_epoch + 1
        return self.epoch(epoch)

    def goes_on(self, epoch: int, batch: int) -> bool:
        """Return whether a batch goes on where the one before it stopped: all do, or none."""
        del epoch, batch
        return self.carries_state

    @abstractmethod
    def num_batches(self, epoch: int) -> int:
        """Return how many batches an epoch has; the start offset may cost the last one."""

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches (x, y), from batch number ``start`` on."""
        row = np.arange(self.num_steps + 1)
        for begins in self._begins(epoch, start):
            rows = torch.as_tensor(self.tokens[begins[:, None] + row], device=self.device)
            yield rows[:, :-1], rows[:, 1:]

    @abstractmethod
    def _begins(self, epoch: int, start: int) -> Iterator[Places]:
        """Yield where the rows (B,) of an epoch's batches begin, from batch ``start`` on."""


class RandomBatches(TextBatches):
    """Pieces of T tokens in random order: neighbours in two batches are none in the text.

    The pieces begin at a random offset below T and follow each other; every one comes once in
    an epoch. The last batch holds what is left, and may have fewer rows than B.
    """

    carries_state = False

    @property
    def _max_offset(self) -> int:
        return self.num_steps - 1

    def _num_pieces(self, offset: int) -> int:
        return (len(self.tokens) - offset - 1) // self.num_steps

    def num_batches(self, epoch: int) -> int:
        """Return how many batches an epoch has."""
        _, offset = self._draw(epoch)
        return -(-self._num_pieces(offset) // self.batch_size)

    def _begins(self, epoch: int, start: int) -> Iterator[Places]:
        generator, offset = self._draw(epoch)
        count = self._num_pieces(offset)
        order = generator.permutation(count) if count < _MANY else Permutation(count, generator)
        for first in range(start * self.batch_size, count, self.batch_size):
            yield offset + order[first : first + self.batch_size] * self.num_steps


class SequentialBatches(TextBatches):
    """The text in B equal rows, read side by side, T columns at a time.

    Row r of a batch goes on where row r of the batch before stopped, so the state is carried
    (and detached). The rows begin at a random offset of at most T. Columns that fill no batch
    wait for another epoch's offset.
    """

    carries_state = True

    @property
    def _max_offset(self) -> int:
        return self.num_steps

    def _row_length(self, offset: int) -> int:
        return (len(self.tokens) - offset - 1) // self.batch_size

    def num_batches(self, epoch: int) -> int:
        """Return how many batches an epoch has; the start offset may cost the last one."""
        _, offset = self._draw(epoch)
        return self._row_length(offset) // self.num_steps

    def _begins(self, epoch: int, start: int) -> Iterator[Places]:
        _, offset = self._draw(epoch)
        length = self._row_length(offset)
        rows = offset + np.arange(self.batch_size) * length
        for batch in range(start, length // self.num_steps):
            yield rows + batch * self.num_steps


POLICIES: dict[str, type[TextBatches]] = {"sequential": SequentialBatches, "random": RandomBatches}
"""The values of ``--batches``."""
