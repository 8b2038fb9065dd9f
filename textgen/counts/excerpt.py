"""What of a text is counted: all, or of a very long one ten stretches spread evenly over it.

Every text doubled costs twice the time and memory, and tells ever less that is new. The stretches
are as many as the blocks that a gate learns from, and each of them is one (``reading``).

Shapes: N tokens of the text, n of them counted, R places.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.counts.histories import Integers
from textgen.counts.reading import BLOCKS
from textgen.text.tokens import Tokens
from textgen.text.vocab import TokenIds


@dataclass(frozen=True)
class Excerpt:
    """The beginnings of ten equal parts of a text."""

    count: int
    """N."""

    counted: int
    """n: N, or a multiple of ten below it."""

    @classmethod
    def of(cls, count: int, most: int | None = None) -> "Excerpt":
        """Return what is counted of a text of N tokens: so many at most, of ten and more."""
        if most is None or count <= most:
            return cls(count, count)
        return cls(count, most // BLOCKS * BLOCKS)

    def take(self, tokens: Tokens) -> TokenIds:
        """Return those of a text's tokens (N,) that are counted, (n,)."""
        if self.counted == self.count:
            whole: TokenIds = tokens[:]
            return whole
        length = self.counted // BLOCKS
        return np.concatenate([tokens[first : first + length] for first in self._begins])

    def find(self, places: Integers) -> tuple[Integers, NDArray[np.bool_]]:
        """Return where places of the text stand among what is counted, and which ones do.

        Both have the shape of ``places``; of places that are not counted, the first is any number.
        """
        if self.counted == self.count:
            return places, np.ones(places.shape, np.bool_)
        length, begins = self.counted // BLOCKS, self._begins
        block = np.searchsorted(begins, places, "right") - 1
        offset = places - begins[block]
        return block * length + offset, offset < length

    @property
    def _begins(self) -> NDArray[np.int64]:
        return np.arange(BLOCKS) * self.count // BLOCKS
