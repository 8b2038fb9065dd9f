"""Beam search: look for the likeliest text instead of drawing one.

Shapes: W texts kept, V vocabulary.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.config import GenerationConfig
from textgen.writing.decoder import Context, Decoder
from textgen.writing.endings import Ending
from textgen.writing.network import Array


@dataclass(frozen=True)
class Hypothesis:
    """A text in the beam."""

    log_probability: float
    """Sum over what was drawn, in nats; excluded tokens have no share in the probabilities."""

    text: str
    ending: Ending

    token: int = 0
    """The last token's id."""

    parent: int = 0
    """Where the text without it stood in the beam, among those that had not ended."""

    def extend(self, log_probability: float, parent: int, token: int, name: str) -> "Hypothesis":
        """Return the text with one token more."""
        piece, ending = self.ending.feed(name)
        return Hypothesis(log_probability, self.text + piece, ending, token, parent)


def beam_search(
    decoder: Decoder, context: Context, config: GenerationConfig, width: int
) -> Hypothesis:
    """Return the likeliest text that was found; the same one every time.

    At every step each text in the beam goes on with every token, and the ``width`` likeliest stay.
    A text that has ended keeps its place until likelier ones push it out. There is no bonus for
    length: where sentences or a stop text end it, short texts win.

    Args:
        decoder: the model.
        context: where the text begins.
        config: its length, stop text and sentences; nothing is drawn at random.
        width: W; 1 takes the likeliest token at every step.
    """
    beam = [Hypothesis(0.0, "", decoder.ending(config))]
    going = beam
    # Probabilities are below 1: no text that goes on can overtake one that leads and has ended.
    while beam[0].ending.over is None:
        before = np.array([[one.log_probability] for one in going])
        sums = (before + _log_softmax(context.logits)).ravel()
        extended = [
            going[row].extend(float(sums[place]), row, token, decoder.vocab.tokens[token])
            for place in _highest(sums, width).tolist()
            for row, token in [divmod(place, context.logits.shape[1])]
            if sums[place] > -np.inf
        ]
        ended = [one for one in beam if one.ending.over]
        beam = sorted([*ended, *extended], key=lambda one: -one.log_probability)[:width]
        going = [one for one in beam if one.ending.over is None]
        if going:
            ids = np.array([[one.token] for one in going], np.int32)
            context = decoder.read_ids(ids, context.rows([one.parent for one in going]))
    return beam[0]


def _highest(sums: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return where the highest stand, falling; of equal ones, the one that stood higher first."""
    if count < len(sums):
        lowest = np.partition(sums, len(sums) - count)[len(sums) - count]
        places = np.flatnonzero(sums >= lowest)
    else:
        places = np.arange(len(sums))
    return places[np.argsort(-sums[places], kind="stable")][:count]


def _log_softmax(logits: Array) -> NDArray[np.float64]:
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=1, keepdims=True)
    wide -= np.log(np.exp(wide).sum(axis=1, keepdims=True))
    return wide
