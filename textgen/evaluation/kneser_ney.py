"""Modified Kneser-Ney of order 5: the best that counting alone does, and so the yardstick.

Source: Chen & Goodman (1998), "An Empirical Study of Smoothing Techniques for Language Modeling",
chapter 3, interpolated. With c(h w) how often the token w followed the history h:

    p(w | h) = (c(h w) - D(c(h w)) + (D1 n1(h) + D2 n2(h) + D3 n3(h)) p(w | h')) / c(h)

h' is h without its oldest token, and p without a history is uniform over V. D takes D1, D2 or D3
off a count of 1, 2, or more, and nothing off 0; n1, n2 and n3 say how many tokens followed h once,
twice, or more often: what was taken off goes to the shorter history. Below the highest order, c
counts not how often h w stood, but after how many different tokens: 操 is frequent, but nearly
always stands after 曹, and so is not likely after anything else.

Shapes: N tokens to learn from, M tokens to judge, G different grams, V vocabulary.
"""

import numpy as np
from numpy.typing import NDArray

from textgen.counts.sorting import begins, in_order, which
from textgen.text.vocab import TokenIds

ORDER = 5

_USUAL_DISCOUNT = 0.75
"""For a text that cannot tell its own: a short one, or one in which all stands several times."""

_Ids = NDArray[np.int32]


def kneser_ney_surprisals(
    training: TokenIds, judged: TokenIds, vocab_size: int
) -> NDArray[np.float64]:
    """Return the bits (M,) of every judged token, given the four tokens before it.

    The judged text is taken to follow the training text.
    """
    count = len(training)
    tokens = np.concatenate([training, judged])
    probability = np.full(len(judged), 1 / vocab_size)
    # Which gram of each order ends at each place; that of no tokens ends everywhere.
    shorter, ids = np.zeros_like(tokens), _number(tokens.astype(np.int64))
    for order in range(1, ORDER + 1):
        histories = shorter if order == 1 else _before(shorter)
        learned = np.arange(order - 1, count)
        if order < ORDER:  # one place for every token that stands before the gram
            longer = _number(_before(ids) * np.int64(vocab_size) + tokens)
            learned = _one_place_each(longer, learned[1:])
        counts = np.bincount(ids[learned], minlength=ids.max() + 1)
        seen = _one_place_each(ids, learned)
        del learned
        discounts = _discounts(counts)
        total, taken = (
            np.bincount(histories[seen], values[ids[seen]], minlength=histories.max() + 1)
            for values in (counts, discounts[np.minimum(counts, 3)])
        )
        asked, history = ids[count:], histories[count:]
        own = counts[asked] - discounts[np.minimum(counts[asked], 3)]
        mixed = (own + taken[history] * probability) / np.maximum(total[history], 1)
        probability = np.where(total[history] > 0, mixed, probability)
        shorter, ids = ids, longer
    surprisals: NDArray[np.float64] = -np.log2(probability)
    return surprisals


def _before(grams: _Ids) -> _Ids:
    """Return which gram ended one place earlier; at the first, one that ends nowhere else."""
    before = np.empty_like(grams)
    before[:1] = grams.max(initial=0) + 1
    before[1:] = grams[:-1]
    return before


def _number(keys: NDArray[np.int64]) -> _Ids:
    """Return the keys, which are overwritten, as numbers from 0 on, the same for the same keys."""
    keys, order = in_order(keys)
    return which(begins(keys), order)


def _one_place_each(grams: _Ids, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, of places where grams end, one for every gram."""
    place = np.full(grams.max() + 1, -1)
    place[grams[places]] = places
    return place[place >= 0]


def _discounts(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is taken off a count of 0, 1, 2, and more, (4,)."""
    n1, n2, n3, n4 = (int((counts == k).sum()) for k in (1, 2, 3, 4))
    if n1 and n2 and n3 and n4:
        share = n1 / (n1 + 2 * n2)
        wanted = (1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3)
        if min(wanted) > 0:  # else what never followed a history would be impossible
            return np.array([0.0, *wanted])
    return np.array([0.0, *[_USUAL_DISCOUNT] * 3])
