"""How well a model predicts a text, told apart: the network, and what counts add to it.

Shapes: M tokens to judge, R rows judged side by side, n places of a piece, E features, P parts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textgen.counts.product import Counts
from textgen.evaluation.perplexity import Evaluation, Passage, figures_of, read, to_bits
from textgen.evaluation.perplexity import evaluate_text as evaluate_network
from textgen.model.language_model import LanguageModel

_STRETCH = 16
"""Places next to each other that are judged or left out together."""

_NUMBERS = 2**20
"""Probabilities that are worked on at once: they fit into the processor's cache."""

_PLACES = 256
"""Places at most that are: with more, nothing is faster."""


@dataclass(frozen=True)
class Figures:
    """A text's figures, always in this order."""

    network: Evaluation
    """The network alone."""

    static: Evaluation | None = None
    """With counts of the training text only; none where the model has no counts."""

    mixed: Evaluation | None = None
    """With what was read lately, too: the model, as it reads."""

    @property
    def model(self) -> Evaluation:
        """The figures of the model with all that it has."""
        return self.mixed or self.network


@dataclass(frozen=True)
class Bits:
    """What each judged token costs, the whole text's or a sample's, each (M,)."""

    network: NDArray[np.float64]
    static: NDArray[np.float64]
    mixed: NDArray[np.float64]


def evaluate_text(
    model: LanguageModel,
    passage: Passage,
    counts: Counts | None = None,
    rows: int = 1,
    most: int | None = None,
) -> Figures:
    """Judge a text.

    Args:
        model: the network, on any device.
        passage: the text.
        counts: what the model knows beside the network, if it does.
        rows: 1 reads strictly in order; see ``textgen.evaluation.perplexity.evaluate_text``.
        most: with counts, tokens to judge; of a longer text, stretches evenly spread over it.
    """
    if counts is None:
        return Figures(evaluate_network(model, passage, rows))
    bits = mixture_surprisals(model, passage, counts, rows, most)
    characters = len(passage.text) * len(bits.network) / len(passage.ids)
    return Figures(
        *(figures_of(one, characters) for one in (bits.network, bits.static, bits.mixed))
    )


@torch.inference_mode()
def mixture_surprisals(
    model: LanguageModel,
    passage: Passage,
    counts: Counts,
    rows: int = 1,
    most: int | None = None,
) -> Bits:
    """Return the bits that each token costs; the arguments are ``evaluate_text``'s."""
    model.eval()
    reading = counts.learned.reading(passage.ids, passage.context)
    every = -(-len(passage.ids) // most) if most else 1
    costs = []
    for places, features in _pieces(model, passage, rows, every):
        targets = torch.from_numpy(passage.ids[places]).to(features.device).long()
        logits = model.output(features).float()
        unknown = passage.unknown_bits[places]
        for hidden in (True, False):
            experts = counts.learned.consult(reading.seen(places, hidden=hidden))
            whole, parts = counts.product.judge(features.float(), logits, experts, targets)
            costs.append(to_bits(-whole) + unknown)
        costs.append(to_bits(-parts[:, 1]) + unknown)
    static, mixed, network = (np.concatenate(costs[first::3]) for first in range(3))
    return Bits(network, static, mixed)


def _pieces(
    model: LanguageModel, passage: Passage, rows: int, every: int
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Yield the places that are judged, a piece at a time, and what the output layer reads."""
    size = max(_STRETCH, min(_PLACES, _NUMBERS // model.vocab_size))
    for places, features in read(model, passage, rows):
        kept = np.flatnonzero(places // _STRETCH % every == 0)
        for first in range(0, len(kept), size):
            chosen = kept[first : first + size]
            yield places[chosen], features[torch.from_numpy(chosen).to(features.device)]
