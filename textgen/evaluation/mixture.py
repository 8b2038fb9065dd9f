"""How well a model predicts a text, told apart: the network, and what counts add to it.

Shapes: n tokens judged, E features, P parts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textgen.counts.adapting import as_it_reads, piece_of
from textgen.counts.product import Counts
from textgen.evaluation.heard import Heard
from textgen.evaluation.perplexity import Evaluation, Passage, Watch, read, to_bits, together
from textgen.evaluation.perplexity import evaluate_text as evaluate_network
from textgen.evaluation.sample import Sample
from textgen.model.language_model import LanguageModel


@dataclass(frozen=True)
class Figures:
    """A text's figures, always in this order."""

    network: Evaluation
    """The network alone."""

    static: Evaluation | None = None
    """With counts of the training text only; none where the model has no counts."""

    mixed: Evaluation | None = None
    """With what was read lately, too: the model, as it reads."""

    @classmethod
    def together(cls, texts: "Sequence[Figures]") -> "Figures":
        """Return the figures of several texts as those of one."""
        if len(texts) == 1:
            return texts[0]
        each = zip(*((one.network, one.static, one.mixed) for one in texts), strict=True)
        return cls(*(together(list(filter(None, some))) for some in each if all(some)))

    @property
    def model(self) -> Evaluation:
        """The figures of the model with all that it has."""
        return self.mixed or self.network


@dataclass(frozen=True)
class Bits:
    """What each judged token costs, the whole text's or a sample's, each (n,)."""

    network: NDArray[np.float64]
    static: NDArray[np.float64]
    mixed: NDArray[np.float64]


def evaluate_text(
    model: LanguageModel,
    passage: Passage,
    counts: Counts | None = None,
    sample: Sample | None = None,
    heard: Heard | None = None,
    watch: Watch | None = None,
) -> Figures:
    """Judge a text.

    Args:
        model: the network, on any device.
        passage: the text.
        counts: what the model knows beside the network, if it does.
        sample: what of the text is judged, and how it is read; when not given, all, strictly in
            order.
        heard: what counts as read lately in these rows or longer ones, where that is at hand.
        watch: is told how far it has come.
    """
    if counts is None:
        return Figures(evaluate_network(model, passage, sample, watch))
    bits = mixture_surprisals(model, passage, counts, sample, heard, watch)
    return Figures(*map(passage.figures, (bits.network, bits.static, bits.mixed)))


@torch.no_grad()
def mixture_surprisals(
    model: LanguageModel,
    passage: Passage,
    counts: Counts,
    sample: Sample | None = None,
    heard: Heard | None = None,
    watch: Watch | None = None,
) -> Bits:
    """Return the bits that each token costs; the arguments are ``evaluate_text``'s."""
    model.eval()
    sample = sample or Sample.of(passage.count)
    heard = heard or Heard.of(counts.learned, passage, sample)
    reading = as_it_reads(counts.product, model.vocab_size, alone=heard.alone)
    costs = []
    for places, features in _pieces(model, passage, sample, watch):
        ids = passage.ids[places]
        targets = torch.from_numpy(ids).to(features.device).long()
        said = features.float(), model.logits(features).float()
        without, with_all = (
            counts.learned.consult(heard.seen(places, hidden=hidden)) for hidden in (True, False)
        )
        static, parts = counts.product.judge(*said, without, targets)
        mixed, _ = reading.judge(*said, with_all, targets)
        unknown = passage.unknown_bits(ids)
        costs.append([to_bits(-one) + unknown for one in (parts[:, 1], static, mixed)])
    return Bits(*map(np.concatenate, zip(*costs, strict=True)))


def _pieces(
    model: LanguageModel, passage: Passage, sample: Sample, watch: Watch | None
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Yield the places that are judged, a piece at a time, and what the output layer reads.

    They are in the order of the text, also where rows are read side by side: nothing is learned
    from what comes after a place.
    """
    size = piece_of(model.vocab_size)
    found = _judged(model, passage, sample, watch)
    for places, features in found if sample.rows == 1 else _in_order(found):
        for first in range(0, len(places), size):
            piece = slice(first, first + size)
            yield places[piece], features[piece]
            if watch is not None:
                watch(len(places[piece]))


def _judged(
    model: LanguageModel, passage: Passage, sample: Sample, watch: Watch | None
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Yield of all that is read the places that are judged, and what the output layer reads."""
    for places, features in read(model, passage, sample):
        kept = np.flatnonzero(sample.judged(places))
        yield places[kept], features[torch.from_numpy(kept).to(features.device)]
        if watch is not None:
            watch(0)


def _in_order(
    found: Iterator[tuple[NDArray[np.int64], Tensor]],
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Yield all that was found at once, by place."""
    each = list(found)
    places = np.concatenate([one for one, _ in each])
    order = np.argsort(places)
    features = torch.cat([one for _, one in each])
    yield places[order], features[torch.from_numpy(order).to(features.device)]
