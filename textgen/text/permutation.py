"""Orders of very many things, of which none is ever in memory as a whole.

Source: Black & Rogaway (2002), "Ciphers with Arbitrary Finite Domains": a Feistel network of four
rounds permutes the numbers of so many bits, and who lands beyond the count goes on from there
until it lands below (cycle walking), on average less than three times more.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

_ROUNDS = 4
_MIXER = np.uint64(0xD6E8FEB86659FD93)  # odd, its bits well mixed


class Permutation:
    """The numbers below a count in an order drawn at random.

    Args:
        count: how many there are.
        generator: what the order is drawn from: four numbers, however long it is.
    """

    def __init__(self, count: int, generator: np.random.Generator) -> None:
        self._count = count
        self._bits = np.uint64(max(1, (max(1, count - 1).bit_length() + 1) // 2))
        self._half = np.uint64((1 << int(self._bits)) - 1)
        self._keys = generator.integers(2**64, size=_ROUNDS, dtype=np.uint64)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, places: slice) -> Numbers:
        """Return the numbers that stand in a slice of the order."""
        numbers = self._permuted(np.arange(*places.indices(self._count), dtype=np.uint64))
        while len(beyond := np.flatnonzero(numbers >= self._count)):
            numbers[beyond] = self._permuted(numbers[beyond])
        return numbers.astype(np.int64)

    def _permuted(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        left, right = numbers >> self._bits, numbers & self._half
        for key in self._keys:
            left, right = right, left ^ (self._mixed(right ^ key) & self._half)
        return left << self._bits | right

    @staticmethod
    def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        numbers = numbers * _MIXER
        numbers ^= numbers >> np.uint64(32)
        numbers *= _MIXER
        return numbers >> np.uint64(32)
