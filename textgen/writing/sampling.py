"""From logits to a token: the probabilities by a pure function, and a draw from them.

Shapes: V vocabulary, R tokens written lately.

The order is that of the names in ``probabilities``' docstring. The penalty comes first, because it
is defined on the model's own logits; the temperature comes before what truncates, so that top-k,
top-p and min-p judge the distribution that is drawn from.

Sources: top-k, Fan et al. (2018); top-p, Holtzman et al. (2020); min-p, Nguyen et al. (2024);
repetition penalty, Keskar et al. (2019), chapter 4.1.
"""

import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.config import GenerationConfig
from textgen.errors import TextgenError
from textgen.text.vocab import UNKNOWN_ID, Vocab

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories for controls, invisible formatting, half characters, odd line ends."""

_FEW = 64
"""Of so many likeliest tokens it is tried first whether they are enough for top-p."""

_COLDEST, _HOTTEST = 1e-30, 1e30
"""Temperatures that float32 can still divide by: nothing colder or hotter is any different."""

Array = NDArray[np.floating[Any]]


def excluded_tokens(vocab: Vocab, end: str | None = None) -> NDArray[np.bool_]:
    """Return which tokens never come out, (V,): ``<unk>``, and all that controls a terminal.

    The newline may come out. Text that turns the direction of writing may not: it would change
    the look of what stands around it.

    Args:
        vocab: the vocabulary.
        end: what closes an item; it comes out whatever it is, and is never shown.

    Raises:
        TextgenError: no token is left.
    """
    excluded = np.array([not (token == end or _is_printable(token)) for token in vocab.tokens])
    excluded[UNKNOWN_ID] = True
    if excluded.all():
        raise TextgenError("the vocabulary holds no character that can be written")
    return excluded


def _is_printable(token: str) -> bool:
    return all(c == "\n" or unicodedata.category(c) not in _INVISIBLE for c in token)


def probabilities(
    logits: Array,
    config: GenerationConfig,
    excluded: NDArray[np.bool_],
    recent: NDArray[np.integer[Any]],
) -> Array:
    """Return the probabilities (V,) that the next token is drawn with.

    In this order: excluded tokens get none; the repetition penalty; the temperature; top-k;
    top-p, of what top-k left; min-p; and what is left is brought to the sum of one.

    Args:
        logits: (V,), finite.
        config: temperature, top_k, top_p, min_p, repetition_penalty and its window.
        excluded: (V,), true where a token must not come out; not everywhere.
        recent: the ids of the tokens before, the newest last, (R,); R may be 0.
    """
    kept = weights(np.where(excluded, -np.inf, logits), config, recent)
    kept /= kept.sum()
    return kept


def weights(
    logits: Array,
    config: GenerationConfig,
    recent: NDArray[np.integer[Any]],
) -> Array:
    """Return the ``probabilities`` times a number: the highest is 1.

    A draw needs no more. The logits of excluded tokens are minus infinity.
    """
    kept = logits.copy()
    if config.repetition_penalty != 1:
        _penalise(kept, recent[-config.repetition_window :], config.repetition_penalty)
    if config.temperature == 0:
        likeliest = int(kept.argmax())
        kept[:] = 0.0
        kept[likeliest] = 1.0
        return kept
    # Less the highest, so that a temperature near 0 divides no large number into infinity; what it
    # makes minus infinity has no probability.
    kept -= kept.max()
    with np.errstate(over="ignore"):
        kept /= min(max(config.temperature, _COLDEST), _HOTTEST)
    np.exp(kept, out=kept)
    if config.top_k is not None and config.top_k < len(kept):
        kept = _keep_first(kept, _largest(kept, config.top_k))
    if config.top_p < 1:
        kept = _keep_first(kept, _reaching(kept, config.top_p))
    if config.min_p > 0:
        kept[kept < config.min_p] = 0.0
    return kept


def _penalise(logits: Array, recent: NDArray[np.integer[Any]], penalty: float) -> None:
    """Divide the positive logits of recent tokens, and multiply the negative ones, in place.

    Dividing a negative one would raise it.
    """
    found = logits[recent]
    logits[recent] = np.where(found > 0, found / penalty, found * penalty)


def _largest(kept: Array, count: int) -> Array:
    """Return so many of the largest weights, falling."""
    return np.sort(np.partition(kept, len(kept) - count)[len(kept) - count :])[::-1]


def _reaching(kept: Array, top_p: float) -> Array:
    """Return the largest weights, falling, as far as they belong to top-p.

    A few hundred tokens have most of the probability, so only as many are put in order as turn out
    to be needed.
    """
    needed = top_p * kept.sum()
    count = 0
    while True:
        count = min(max(4 * count, _FEW), len(kept))
        largest = _largest(kept, count)
        sums = largest.cumsum()
        if count == len(kept) or sums[-1] >= needed:
            # A token stays where the ones before it do not reach top_p yet.
            return largest[: 1 + int(np.count_nonzero(sums[:-1] < needed))]


def _keep_first(kept: Array, largest: Array) -> Array:
    """Set all but the largest weights to zero, of equal ones those with higher ids.

    Args:
        kept: the weights (V,).
        largest: the n largest of them, falling; zeros at the end count for nothing.
    """
    count = int(np.count_nonzero(largest))
    lowest = largest[count - 1]
    result = np.where(kept >= lowest, kept, 0.0)
    over = int(np.count_nonzero(result)) - count
    if over > 0:  # equal ones stand on both sides: rare
        result[np.flatnonzero(result == lowest)[-over:]] = 0.0
    return result


def draw(weights: Array, uniform: float) -> int:
    """Return the id of one token: the inverse of the cumulative distribution.

    Args:
        weights: (V,), what the probabilities are in proportion to.
        uniform: at least 0 and below 1.
    """
    cumulative = weights.astype(np.float64).cumsum()
    return int(cumulative.searchsorted(uniform * cumulative[-1], side="right"))
