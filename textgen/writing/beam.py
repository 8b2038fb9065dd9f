"""Beam search: look for the likeliest text instead of drawing one.

Shapes: W texts kept, V vocabulary.
"""

from dataclasses import dataclass

import torch

from textgen.config import GenerationConfig
from textgen.writing.endings import Ending
from textgen.writing.generation import Context, Decoder


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


@torch.inference_mode()
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
    beam = [Hypothesis(0.0, "", Ending.of(config))]
    going = beam
    # Probabilities are below 1: no text that goes on can overtake one that leads and has ended.
    while beam[0].ending.over is None:
        before = context.logits.new_tensor([[one.log_probability] for one in going])
        sums = context.logits.log_softmax(dim=1) + before
        # Stable: of equally likely texts, the one that stood higher stays there.
        values, places = sums.flatten().sort(descending=True, stable=True)
        extended = [
            going[row].extend(value, row, token, decoder.vocab.tokens[token])
            for value, (row, token) in zip(
                values[:width].tolist(),
                (divmod(place, sums.shape[1]) for place in places[:width].tolist()),
                strict=True,
            )
            if value > -torch.inf
        ]
        ended = [one for one in beam if one.ending.over]
        beam = sorted([*ended, *extended], key=lambda one: -one.log_probability)[:width]
        going = [one for one in beam if one.ending.over is None]
        if going:
            ids = torch.tensor([[one.token] for one in going])
            context = decoder.read_ids(ids, context.rows([one.parent for one in going]))
    return beam[0]
