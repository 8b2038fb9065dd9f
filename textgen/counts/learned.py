"""What counting knows of a training text: how often every token stands there, and what followed.

Shapes: N tokens of the training text, V vocabulary.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.counts.experts import Experts, consult, frequencies_of, longest_history
from textgen.counts.histories import Histories
from textgen.counts.reading import Reading, Seen
from textgen.text.vocab import TokenIds


@dataclass(frozen=True)
class Learned:
    """A text that was counted."""

    histories: Histories

    frequencies: NDArray[np.float64]
    """u, (V,)."""

    @classmethod
    def of(cls, tokens: TokenIds, vocab_size: int) -> "Learned":
        """Count a text of ids (N,)."""
        frequencies = frequencies_of(np.bincount(tokens, minlength=vocab_size))
        longest = longest_history(frequencies, len(tokens))
        return cls(Histories.of(tokens, vocab_size, longest), frequencies)

    @property
    def longest(self) -> int:
        """K, the longest history."""
        return len(self.histories.followers)

    def reading(self, tokens: TokenIds, before: TokenIds) -> Reading:
        """Return a text (M,) to be read after this one; ``before`` (C,) stands before it."""
        return Reading(self.histories, tokens, before)

    def consult(self, seen: Seen, kind: type[np.floating[Any]] = np.float32) -> Experts:
        """Return what the experts say of what was read, in numbers of a kind."""
        return consult(seen, self.frequencies.astype(kind))
