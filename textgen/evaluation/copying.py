"""How much of a text stands word for word in another one: is the model good, or a parrot?

A stretch is copied when the same characters stand next to each other in the training text. A
language has phrases, so some short copying is natural: the held-out part, compared in the same
way, says how much.

The search hashes every stretch of one length in both texts, in numpy, and compares what has the
same hash character by character: so it is exact. A text of ten million characters takes less than
half a second for each length tried, and a few megabytes, since it is hashed a chunk at a time. The
longest copied stretch is found by bisection, since every part of a copied stretch is copied, too.

Shapes: N characters of the training text, M of the text, L of a stretch, B stretches.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONG = 10
"""Characters in a stretch from which on it counts as copied."""

_CHUNK = 1 << 18
"""Stretches hashed at once: they fit into the processor's cache."""

_TABLE_BITS = 20
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits well mixed: 2^64 / golden ratio
_MIXER = np.uint64(0xD6E8FEB86659FD93)

_CodePoints = NDArray[np.uint32]
_Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Copying:
    """What of a text stands word for word in the training text."""

    longest: str
    """The longest stretch; the first of them."""

    share: float
    """Share of the characters that are in stretches of ten or more."""


class TrainingText:
    """A text that others may have copied.

    Args:
        text: the whole text.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def copied_by(self, text: str) -> Copying:
        """Return what of a text stands here."""
        long = self.find(text, LONG)
        # Bisection: stretches of `sure` characters are copied, those of `too_long` are not.
        sure, too_long = (LONG, len(text) + 1) if len(long) else (0, min(LONG, len(text) + 1))
        first = int(long[0]) if len(long) else 0
        length = 2 * LONG if len(long) else LONG // 2
        while too_long - sure > 1:
            length = min(max(length, sure + 1), too_long - 1)
            found = self.find(text, length)
            if len(found):
                sure, first = length, int(found[0])
                length = min(2 * length, (sure + too_long) // 2)
            else:
                too_long = length
                length = (sure + too_long) // 2
        return Copying(text[first : first + sure], covered(len(text), long, LONG))

    def find(self, text: str, length: int) -> NDArray[np.int64]:
        """Return where in a text stretches of so many characters begin that stand here, (B,)."""
        if length > min(len(text), len(self._text)):
            return np.zeros(0, dtype=np.int64)
        wanted, which = np.unique(_hashes(_code_points(text), length), return_inverse=True)
        places = self._places(wanted, length)[which]
        return np.array(
            [
                begin
                for begin in np.flatnonzero(places >= 0).tolist()
                if self._holds(text[begin : begin + length], int(places[begin]))
            ],
            dtype=np.int64,
        )

    def _holds(self, stretch: str, place: int) -> bool:
        """Return whether a stretch stands here: where its hash was found, or else anywhere."""
        return self._text.startswith(stretch, place) or stretch in self._text

    def _places(self, wanted: _Hashes, length: int) -> NDArray[np.int64]:
        """Return where here a stretch of each hash begins; -1 where there is none."""
        places = np.full(len(wanted), -1, dtype=np.int64)
        # A table of the hashes' first bits says no at once to nearly every stretch.
        shift = np.uint64(64 - _TABLE_BITS)
        maybe = np.zeros(1 << _TABLE_BITS, dtype=bool)
        maybe[wanted >> shift] = True
        for first, hashes in self._hashes_in_chunks(length):
            candidates = np.flatnonzero(maybe[hashes >> shift])
            index = np.searchsorted(wanted, hashes[candidates]).clip(max=len(wanted) - 1)
            hits = wanted[index] == hashes[candidates]
            places[index[hits]] = first + candidates[hits]
        return places

    def _hashes_in_chunks(self, length: int) -> Iterator[tuple[int, _Hashes]]:
        for first in range(0, len(self._text) - length + 1, _CHUNK):
            chunk = self._text[first : first + _CHUNK + length - 1]
            yield first, _hashes(_code_points(chunk), length)


def covered(count: int, begins: NDArray[np.int64], length: int) -> float:
    """Return the share of so many characters that stretches of so many, (B,), cover."""
    change = np.zeros(count + 1, dtype=np.int64)
    change[begins] += 1
    change[begins + length] -= 1
    return float((change.cumsum()[:-1] > 0).mean()) if count else 0.0


def _code_points(text: str) -> _CodePoints:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _hashes(code_points: _CodePoints, length: int) -> _Hashes:
    """Return a hash of each stretch of so many characters, (N - L + 1,).

    The hash of c_1 ... c_L is the sum of mix(c_i) f^(L - i) modulo 2^64. That of a stretch of
    a + b characters follows from those of its parts; so some 2 log2(L) passes are enough.
    """
    count = len(code_points) - length + 1
    ones = (code_points.astype(np.uint64) + np.uint64(1)) * _MIXER
    ones ^= ones >> np.uint64(29)
    ones *= _MIXER
    # Length by its binary digits, the highest first: h_2n and h_n+1 from h_n.
    hashes, factor, done = ones, _FACTOR, 1
    for digit in bin(length)[3:]:
        hashes = hashes[: len(hashes) - done] * factor + hashes[done:]
        factor, done = _product(factor, factor), 2 * done
        if digit == "1":
            hashes = hashes[:-1] * _FACTOR + ones[done:]
            factor, done = _product(factor, _FACTOR), done + 1
    return hashes[:count]


def _product(one: np.uint64, other: np.uint64) -> np.uint64:
    return np.uint64(int(one) * int(other) % 2**64)
