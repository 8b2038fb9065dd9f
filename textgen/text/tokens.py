"""The ids of a text, wherever they lie.

Shapes: N tokens in the text, V vocabulary.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]

_PIECE = 2**20


class Tokens(Protocol):
    """Ids (N,) in an array, in a tensor, or on a disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: Any, /) -> Any:  # noqa: ANN401 - as arrays and tensors do
        """Return the ids at places of any shape, or in a slice."""


class PlacesAsTokens:
    """A text whose tokens are the places where they stand: for who looks them up later.

    Args:
        count: N.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, places: Places, /) -> Places:
        """Return the places."""
        return places


def occurrences(tokens: Tokens, vocab_size: int) -> NDArray[np.int64]:
    """Return how often each token stands in a text, (V,)."""
    counts = np.zeros(vocab_size, np.int64)
    for first in range(0, len(tokens), _PIECE):  # bincount makes each number eight bytes
        counts += np.bincount(tokens[first : first + _PIECE], minlength=vocab_size)
    return counts
