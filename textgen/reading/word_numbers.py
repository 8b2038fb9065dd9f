"""Words numbered as they come, and counted: any amount of text, in bounded memory.

Shapes: N words of a piece, K of them distinct.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from itertools import count

import numpy as np
from numpy.typing import NDArray

from textgen.text.cutters import Kinds

log = logging.getLogger(__name__)

_MOST = 500_000
"""Different words that are remembered."""

_ROOM = 2**16
"""Numbers that are made room for at a time."""


class WordNumbers:
    """Numbers and counts words.

    Where there are more different ones than are remembered, only the more frequent half stays. One
    that was forgotten and comes again gets another number, and is counted from there on.
    """

    def __init__(self) -> None:
        self._number_of = defaultdict[str, int](count().__next__)
        self._counts = np.zeros(_ROOM, np.int64)
        self.given = 0
        """How many numbers have been given."""
        self._told = False

    def learn(self, kinds: Kinds, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Count the words of a piece, and return their numbers, (N,).

        Args:
            kinds: the distinct ones, (K,), at least one.
            ids: of each word which of those it is, (N,).
        """
        numbers = np.array([self._number_of[kind] for kind in kinds], np.int32)
        self.given = max(self.given, int(numbers.max()) + 1)
        if self.given > len(self._counts):
            self._counts = np.pad(self._counts, (0, self.given + _ROOM - len(self._counts)))
        self._counts[numbers] += np.bincount(ids, minlength=len(kinds))
        if len(self._number_of) > _MOST:
            self._forget()
        return numbers[ids]

    def of(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the numbers of words; for those that are not remembered, ``given``."""
        return np.array([self._number_of.get(word, self.given) for word in words], np.int64)

    @property
    def counts(self) -> dict[str, int]:
        """How often each word occurs that is remembered."""
        counts = self._counts[self._numbers].tolist()
        return dict(zip(self._number_of, counts, strict=True))

    @property
    def _numbers(self) -> NDArray[np.int64]:
        return np.fromiter(self._number_of.values(), np.int64)

    def _forget(self) -> None:
        if not self._told:
            log.info("Of more than %s different words the rarest are forgotten", f"{_MOST:,}")
            self._told = True
        words = list(self._number_of)
        rarest_first = np.argsort(self._counts[self._numbers], kind="stable")
        for place in rarest_first[: len(words) - _MOST // 2]:
            del self._number_of[words[place]]
