"""The ids of a text, wherever they lie.

Shapes: N tokens in the text, C of its context, V vocabulary.
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


def looked_up(tokens: Tokens, context: NDArray[np.int32], places: Places) -> NDArray[np.int32]:
    """Return the ids at places of a text (N,), (...): of its context before it, and 0 behind it.

    Args:
        tokens: the text.
        context: ids (C,) that stand before it, at the places from -C on.
        places: from -C on.
    """
    ids = np.zeros(places.shape, np.int32)
    before, there = places < 0, (places >= 0) & (places < len(tokens))
    ids[before] = context[places[before]]
    ids[there] = tokens[places[there]]
    return ids


def occurrences(tokens: Tokens, vocab_size: int) -> NDArray[np.int64]:
    """Return how often each token stands in a text, (V,)."""
    counts = np.zeros(vocab_size, np.int64)
    for first in range(0, len(tokens), _PIECE):  # bincount makes each number eight bytes
        counts += np.bincount(tokens[first : first + _PIECE], minlength=vocab_size)
    return counts
