"""What a model expected at every token of a text, and who of it was right.

Shapes: M tokens to judge, T of a piece, K likeliest tokens, V vocabulary, Q who gave probabilities.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from textgen.counts.adapting import as_it_reads, piece_of
from textgen.counts.experts import WINDOWS
from textgen.counts.product import Counts
from textgen.evaluation.perplexity import Passage, read_in_order, to_bits
from textgen.language import _
from textgen.model.language_model import LanguageModel


@dataclass(frozen=True)
class Predictions:
    """What a model expected at every token of a text."""

    bits: NDArray[np.float64]
    """What each token costs, (M,)."""

    ids: NDArray[np.int64]
    """The tokens held likeliest, the likeliest first, (M, K)."""

    probabilities: NDArray[np.float32]
    """Theirs, (M, K)."""

    opinions: NDArray[np.float32]
    """The probability that each one who was asked gave the token that came, (M, Q)."""

    asked: tuple[str, ...]
    """Who they are: the network, and with counts what followed before."""


@torch.no_grad()
def predict_text(
    model: LanguageModel, passage: Passage, likeliest: int = 5, counts: Counts | None = None
) -> Predictions:
    """Return what the model expects at every token of a text, as ``evaluate_text`` judges it.

    Args:
        model: the network, on any device; it is left in its mode for evaluating.
        passage: the text, M tokens.
        likeliest: K, how many tokens are returned for each place; fewer where V is less.
        counts: what the model knows beside the network, if it does.
    """
    model.eval()
    costs, best, chances, opinions = [], [], [], []
    alone = passage.end is not None
    if counts is not None:
        reading = counts.learned.reading(passage.ids[:], passage.context)
        product = as_it_reads(counts.product, model.vocab_size, alone=alone)
    place = 0
    for features, logits, of_network in read_in_order(model, passage, piece_of(model.vocab_size)):
        places = np.arange(place, place + len(logits))
        place += len(logits)
        expected, nats = logits.float().log_softmax(dim=1), of_network
        of_each = -nats[:, None]
        if counts is not None:
            experts = counts.learned.consult(reading.seen(places, hidden=alone))
            targets = torch.from_numpy(passage.ids[places]).to(logits.device).long()
            expected = product(features, logits, experts)
            whole, parts = product.judge(features, logits, experts, targets)
            nats, of_each = -whole, torch.cat([of_each, parts[:, 2:]], dim=1)
        costs.append(nats.cpu())
        top = expected.topk(min(likeliest, logits.shape[1]), dim=1)
        best.append(top.indices.cpu())
        chances.append(top.values.exp().cpu())
        opinions.append(of_each.exp().cpu())
    asked = (_("the network"),) if counts is None else _asked()
    return Predictions(
        to_bits(torch.cat(costs)) + passage.unknown_bits(passage.ids[:]),
        torch.cat(best).numpy(),
        torch.cat(chances).numpy(),
        torch.cat(opinions).numpy(),
        asked,
    )


def _asked() -> tuple[str, ...]:
    """Return what the parts of the final sum are called, but for the product."""
    return (
        _("the network"),
        _("all that followed here"),
        _("what followed lately"),
        *(_("the last {count:,} tokens").format(count=size) for size in WINDOWS),
    )
