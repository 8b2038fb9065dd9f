"""What counts as read lately while a sample of a text is judged.

Where all of a text is judged, that is all before a place. Of a long text it is what stands shortly
before the rows of a sample, and in them: to look up everything that a million tokens said of a
frequent character would take longer than all else.

Shapes: M tokens of the text, H of them heard, R places.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.counts.learned import Learned
from textgen.counts.reading import Reading, Seen
from textgen.evaluation.perplexity import Passage
from textgen.evaluation.sample import Sample


@dataclass(frozen=True)
class Heard:
    """A text to be read after what was counted."""

    reading: Reading
    places: NDArray[np.int64]
    """Where in the text its tokens stand, rising, (H,)."""

    alone: bool = False
    """Whether nothing of it counts, as in a text of items."""

    @classmethod
    def of(cls, learned: Learned, passage: Passage, sample: Sample) -> "Heard":
        """Return what is heard of a passage while the sample, or a part of its rows, is judged."""
        places = sample.heard
        reading = learned.reading(passage.ids[places], passage.context)
        return cls(reading, places, passage.end is not None)

    def seen(self, places: NDArray[np.int64], *, hidden: bool) -> Seen:
        """Return what counts at places (R,) of the rows; see ``Reading.seen``."""
        hidden = hidden or self.alone
        return self.reading.seen(np.searchsorted(self.places, places), hidden=hidden)
