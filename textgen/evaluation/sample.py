"""An even sample of a text: rows of equal length whose beginnings are spread evenly over it.

Every row is warmed up over the text before it. One row that is as long as the text reads it
strictly in order; many rows that are, read it side by side: much faster, and nearly the same
figure. Of a longer text the rows are shorter than the way from one to the next, and what lies
between is not judged: so judging takes the same time, however long a text is.

Shapes: M tokens of the text, R rows, L tokens judged of each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.runs.progress import JUDGED

ROWS = 32
"""Rows of a sample, unless the text is read strictly in order."""

NOVEL = 100_000
"""Tokens of a held-out part that is read as a whole; a novel's are fewer."""

AT_THE_END = 10
"""How many times as many are judged at the end of a training, and all of a novel's."""

LATELY = 10_000
"""Tokens before a row that count as read lately, beside those in the rows before. Windows look
back half as far."""

_STRETCH = 16
"""Tokens next to each other that are judged or left out together."""


@dataclass(frozen=True)
class Sample:
    """Which tokens of a text are judged, and in which rows they are read."""

    count: int
    """M."""

    rows: int
    """R."""

    length: int
    """L; the last rows may end before that, with the text."""

    every: int = 1
    """Of the rows' stretches one in so many is judged, and the others are read only. The network
    alone, which is quick, is judged at all."""

    @classmethod
    def of(cls, count: int, rows: int = 1, most: int | None = None) -> "Sample":
        """Return a sample of a text of so many tokens.

        Args:
            count: M.
            rows: R.
            most: R L at most, but at least a token a row; all of the text when not given.
        """
        length = -(-count // rows)
        if most is not None and most < count:
            length = min(length, max(1, most // rows))
        return cls(count, rows, length)

    @classmethod
    def on_the_way(cls, count: int, judged: int = JUDGED) -> "Sample":
        """Return that of a held-out part (M,) which is judged during a training.

        A novel's is read as a whole, and the network alone judged at all of it.

        Args:
            count: M.
            judged: tokens to judge at most.
        """
        if count > NOVEL:
            return cls.of(count, ROWS, judged)
        return cls(count, ROWS, -(-count // ROWS), -(-count // JUDGED))

    @classmethod
    def at_the_end(cls, count: int, judged: int = JUDGED) -> "Sample":
        """Return that of a held-out part (M,) which is judged at the end of a training."""
        return cls.of(count, ROWS, AT_THE_END * judged) if count > NOVEL else cls.of(count)

    @property
    def step(self) -> int:
        """Tokens from the beginning of a row to that of the next."""
        return -(-self.count // self.rows)

    @property
    def places(self) -> NDArray[np.int64]:
        """Where in the text the tokens of the rows stand, rising."""
        places = np.arange(self.rows)[:, None] * self.step + np.arange(self.length)
        return places[places < self.count]

    @property
    def heard(self) -> NDArray[np.int64]:
        """Where the tokens stand that count as read lately, rising; all that there are, at best."""
        if self.length == self.step:
            return np.arange(self.count)
        begins = np.arange(self.rows)[:, None] * self.step
        places = begins + np.arange(-LATELY, self.length)
        return np.unique(places[(places >= 0) & (places < self.count)])

    def judged(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of the rows' places are judged, not read only."""
        judged: NDArray[np.bool_] = places // _STRETCH % self.every == 0
        return judged
