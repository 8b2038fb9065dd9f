"""From logits to a token: the probabilities by a pure function, and a draw from them.

Shapes: B texts, V vocabulary, R tokens written lately.

The order is that of the names in ``probabilities``' docstring. The penalty comes first, because it
is defined on the model's own logits; the temperature comes before what truncates, so that top-k,
top-p and min-p judge the distribution that is drawn from.

Sources: top-k, Fan et al. (2018); top-p, Holtzman et al. (2020); min-p, Nguyen et al. (2024);
repetition penalty, Keskar et al. (2019), chapter 4.1.
"""

import unicodedata

import torch
from torch import Tensor

from textgen.config import GenerationConfig
from textgen.errors import TextgenError
from textgen.text.vocab import UNKNOWN_ID, Vocab

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories for controls, invisible formatting, half characters, odd line ends."""

_FEW = 64
"""Of so many likeliest tokens it is tried first whether they are enough for top-p."""


def excluded_tokens(vocab: Vocab) -> Tensor:
    """Return which tokens never come out, (V,): ``<unk>``, and all that controls a terminal.

    The newline may come out. Text that turns the direction of writing may not: it would change
    the look of what stands around it.

    Raises:
        TextgenError: no token is left.
    """
    excluded = torch.tensor([not _is_printable(token) for token in vocab.tokens])
    excluded[UNKNOWN_ID] = True
    if excluded.all():
        raise TextgenError("the vocabulary holds no character that can be written")
    return excluded


def _is_printable(token: str) -> bool:
    return all(c == "\n" or unicodedata.category(c) not in _INVISIBLE for c in token)


def probabilities(
    logits: Tensor, config: GenerationConfig, excluded: Tensor, recent: Tensor
) -> Tensor:
    """Return the probabilities (B, V), in float64, that the next tokens are drawn with.

    In this order: excluded tokens get none; the repetition penalty; the temperature; top-k;
    top-p, of what top-k left; min-p; and what is left is brought to the sum of one.

    Args:
        logits: (B, V), finite.
        config: temperature, top_k, top_p, min_p, repetition_penalty and its window.
        excluded: (V,), true where a token must not come out; not everywhere.
        recent: the ids of the tokens before, the newest last, (B, R); R may be 0.
    """
    kept = weights(logits.double().masked_fill(excluded, -torch.inf), config, recent)
    return kept / kept.sum(dim=1, keepdim=True)


def weights(logits: Tensor, config: GenerationConfig, recent: Tensor) -> Tensor:
    """Return the ``probabilities`` times a number of each text's: the highest is 1.

    A draw needs no more. The logits of excluded tokens are minus infinity.
    """
    if config.repetition_penalty != 1:
        logits = _penalise(logits, recent[:, -config.repetition_window :], config)
    if config.temperature == 0:
        likeliest = logits.argmax(dim=1, keepdim=True)
        return torch.zeros_like(logits).scatter(1, likeliest, 1.0)
    # Less the highest, so that a temperature near 0 divides no large number into infinity.
    kept = logits.sub(logits.amax(dim=1, keepdim=True)).div_(config.temperature).exp_()
    if config.top_k is not None and config.top_k < kept.shape[1]:
        kept = _keep_first(kept, kept.topk(config.top_k).values)
    if config.top_p < 1:
        kept = _keep_first(kept, _reaching(kept, config.top_p))
    if config.min_p > 0:
        kept.masked_fill_(kept < config.min_p, 0.0)
    return kept


def _penalise(logits: Tensor, recent: Tensor, config: GenerationConfig) -> Tensor:
    """Divide the positive logits of recent tokens, and multiply the negative ones.

    Dividing a negative one would raise it.
    """
    penalty = config.repetition_penalty
    found = logits.gather(1, recent)
    return logits.scatter(1, recent, torch.where(found > 0, found / penalty, found * penalty))


def _reaching(kept: Tensor, top_p: float) -> Tensor:
    """Return the largest weights (B, n), falling, until no text's next ones belong to its top-p.

    What does not belong to it is zero. A few hundred tokens have most of the probability, so
    only as many are put in order as turn out to be needed.
    """
    needed = top_p * kept.cumsum(dim=1)[:, -1:]  # a sum that is the same in any batch
    count = 0
    while True:
        count = min(max(4 * count, _FEW), kept.shape[1])
        largest = kept.topk(count).values
        sums = largest.cumsum(dim=1)
        if count == kept.shape[1] or (sums[:, -1:] >= needed).all():
            # A token stays where the ones before it do not reach top_p yet.
            largest[:, 1:].masked_fill_(sums[:, :-1] >= needed, 0.0)
            return largest


def _keep_first(kept: Tensor, largest: Tensor) -> Tensor:
    """Set all but the largest weights to zero, of equal ones those with higher ids.

    Args:
        kept: the weights (B, V).
        largest: the n largest of them, falling, (B, n); zeros at the end count for nothing.
    """
    count = (largest > 0).sum(dim=1, keepdim=True)
    lowest = largest.gather(1, count - 1)
    result = kept.where(kept >= lowest, 0.0)
    over = (result > 0).sum(dim=1, keepdim=True) - count
    for row in over[:, 0].nonzero()[:, 0].tolist():  # equal ones stand on both sides: rare
        equal = (result[row] == lowest[row]).nonzero()[:, 0]
        result[row, equal[len(equal) - int(over[row, 0]) :]] = 0.0
    return result


def draw(weights: Tensor, uniforms: Tensor) -> Tensor:
    """Return the ids (B,) of one token for each text: the inverse of the cumulative distribution.

    Args:
        weights: (B, V), float64, what the probabilities are in proportion to.
        uniforms: (B,), float64, each at least 0 and below 1.
    """
    cumulative = weights.cumsum(dim=1)
    points = uniforms[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, points, right=True).squeeze(1)
