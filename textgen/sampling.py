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
from textgen.vocab import UNKNOWN_ID, Vocab

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories for controls, invisible formatting, half characters, odd line ends."""


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
    logits = logits.double().masked_fill(excluded, -torch.inf)
    if config.repetition_penalty != 1:
        logits = _penalise(logits, recent[:, -config.repetition_window :], config)
    if config.temperature == 0:
        likeliest = logits.argmax(dim=1, keepdim=True)
        return torch.zeros_like(logits).scatter(1, likeliest, 1.0)
    # Less the highest, so that a temperature near 0 divides no large number into infinity.
    highest = logits.amax(dim=1, keepdim=True)
    kept = torch.softmax((logits - highest) / config.temperature, dim=1)
    if config.top_k is not None or config.top_p < 1:
        kept = _keep_likeliest(kept, config.top_k, config.top_p)
    if config.min_p > 0:
        kept = kept.where(kept >= config.min_p * kept.amax(dim=1, keepdim=True), 0.0)
    return kept / kept.sum(dim=1, keepdim=True)


def _penalise(logits: Tensor, recent: Tensor, config: GenerationConfig) -> Tensor:
    """Divide the positive logits of recent tokens, and multiply the negative ones.

    Dividing a negative one would raise it.
    """
    penalty = config.repetition_penalty
    found = logits.gather(1, recent)
    return logits.scatter(1, recent, torch.where(found > 0, found / penalty, found * penalty))


def _keep_likeliest(kept: Tensor, top_k: int | None, top_p: float) -> Tensor:
    """Set all but the likeliest to zero; of equally likely ones, those with lower ids stay."""
    ordered, ids = kept.sort(dim=1, descending=True, stable=True)
    if top_k is not None:
        ordered = ordered[:, : min(top_k, ordered.shape[1])]
    if top_p < 1:
        sums = ordered.cumsum(dim=1)
        # A token stays where the ones before it do not reach top_p yet.
        reached = sums[:, :-1] >= top_p * sums[:, -1:]
        ordered[:, 1:].masked_fill_(reached, 0.0)
    return torch.zeros_like(kept).scatter(1, ids[:, : ordered.shape[1]], ordered)


def draw(probabilities: Tensor, uniforms: Tensor) -> Tensor:
    """Return the ids (B,) of one token for each text: the inverse of the cumulative distribution.

    Args:
        probabilities: (B, V), float64.
        uniforms: (B,), float64, each at least 0 and below 1.
    """
    cumulative = probabilities.cumsum(dim=1)
    points = uniforms[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, points, right=True).squeeze(1)
