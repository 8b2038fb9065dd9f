"""What counting knows of a training text: how often every token stands there, and what followed.

Shapes: N tokens of the training text, V vocabulary.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.counts.excerpt import Excerpt
from textgen.counts.experts import Experts, Form, consult, form_for, frequencies_of
from textgen.counts.histories import Histories
from textgen.counts.reading import Reading, Seen
from textgen.text.tokens import Tokens, occurrences
from textgen.text.vocab import TokenIds

_EARLIER = 10_000
"""Tokens that all of what was learned earlier weighs in the frequencies: those of an author are
soon known better from the author."""

NOTHING: TokenIds = np.empty(0, np.int32)


@dataclass(frozen=True)
class Learned:
    """A text that was counted."""

    histories: Histories

    frequencies: NDArray[np.float64]
    """u, (V,)."""

    @classmethod
    def of(
        cls,
        tokens: Tokens,
        vocab_size: int,
        most: int | None = None,
        *,
        occurring: NDArray[np.int64] | None = None,
        as_before: bool = False,
        earlier: TokenIds = NOTHING,
        end: int | None = None,
    ) -> "Learned":
        """Count a text.

        Args:
            tokens: ids (N,).
            vocab_size: V.
            most: of a longer text, what follows what is counted in so many tokens spread over it.
            occurring: how often each token stands there, (V,), where that is known.
            as_before: with the experts alone that there were before any history skipped.
            earlier: ids (E,) of what was learned before, and counts as well.
            end: the id of what closes an item, in a text of items.
        """
        if occurring is None:
            occurring = occurrences(tokens, vocab_size)
        weight = min(1.0, _EARLIER / max(1, len(earlier)))
        frequencies = frequencies_of(occurring + weight * occurrences(earlier, vocab_size))
        counted = together(earlier, tokens, most)
        form = form_for(frequencies, len(counted))
        if as_before:
            form = Form(form.longest)
        histories = Histories.of(counted, vocab_size, form.longest, form.skips, end)
        return cls(histories, frequencies)

    @property
    def form(self) -> Form:
        """Which experts there are."""
        return Form(self.histories.longest, self.histories.skips)

    def reading(self, tokens: TokenIds, before: TokenIds) -> Reading:
        """Return a text (M,) to be read after this one; ``before`` (C,) stands before it."""
        return Reading(self.histories, tokens, before)

    def consult(self, seen: Seen, kind: type[np.floating[Any]] = np.float32) -> Experts:
        """Return what the experts say of what was read, in numbers of a kind."""
        return consult(seen, self.frequencies.astype(kind))


def together(earlier: TokenIds, tokens: Tokens, most: int | None) -> TokenIds:
    """Return what is counted of two texts, one behind the other: of each, so many at most."""
    first, second = (Excerpt.of(len(part), most).take(part) for part in (earlier, tokens))
    return np.concatenate([first, second]) if len(first) else second
