"""The texts that become a store, under provisional ids, and what of each is held out."""

from collections.abc import Iterator
from dataclasses import dataclass

from textgen.reading.provisional import Part, ReadText
from textgen.text.store import Ids

_PIECE = 2**20
"""Ids that are in memory at a time."""


@dataclass(frozen=True)
class Kept:
    """A text that is part of the store."""

    read: ReadText
    part: Part
    held_out: int
    """Characters at its end that are held out."""

    @property
    def learned(self) -> int:
        """Characters to learn from."""
        return self.read.count - self.held_out

    def training(self) -> Iterator[Ids]:
        """Yield the provisional ids of what is learned from, piece by piece."""
        return self._ids(0, self.learned)

    def rest(self) -> Iterator[Ids]:
        """Yield those of what is held out."""
        return self._ids(self.learned, self.read.count)

    def text(self, begin: int, end: int) -> str:
        """Return its characters from a first to before a last one."""
        code_points = self.part.code_points[self.read.ids(begin, end)]
        return code_points.astype("<u4").tobytes().decode("utf-32-le")

    def _ids(self, begin: int, end: int) -> Iterator[Ids]:
        for first in range(begin, end, _PIECE):
            yield self.read.ids(first, min(first + _PIECE, end))
