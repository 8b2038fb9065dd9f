"""A trigram with Witten-Bell smoothing: the figure that a neural model has to beat.

Source: Witten & Bell (1991), as the interpolation in Chen & Goodman (1998), chapter 2.6:
p(w | h) = (c(h w) + T(h) p(w | h')) / (c(h) + T(h)), where T(h) counts the distinct tokens seen
after the history h, h' is h without its oldest token, and p without a history is uniform over V.

Shapes: N tokens to learn from, M tokens to judge, V vocabulary.
"""

import numpy as np
from numpy.typing import NDArray

from textgen.text.vocab import TokenIds

_Keys = NDArray[np.int64]


def trigram_surprisals(
    training: TokenIds, judged: TokenIds, vocab_size: int
) -> NDArray[np.float64]:
    """Return the bits (M,) of every judged token, given the two tokens before it.

    The judged text is taken to follow the training text.
    """
    size = np.int64(vocab_size)
    whole = np.concatenate([training[-2:], judged]).astype(np.int64)
    history_length = len(whole) - len(judged)
    probability = np.full(len(judged), 1 / vocab_size)
    tokens = training.astype(np.int64)
    for order in range(3):
        grams = np.sort(_keys(tokens, order, size))
        distinct_grams = grams[np.diff(grams, prepend=-1) > 0]
        # Judged tokens too near the beginning for so long a history keep the shorter one's.
        first = max(0, order - history_length)
        # In order, what is asked next is found near by.
        asked, where = np.unique(
            _keys(whole[history_length + first - order :], order, size), return_inverse=True
        )
        count = _occurrences(grams, asked)
        total = _occurrences(grams // size, asked // size)
        kinds = _occurrences(distinct_grams // size, asked // size)
        count, total, kinds = count[where], total[where], kinds[where]
        mixed = (count + kinds * probability[first:]) / np.maximum(total + kinds, 1)
        probability[first:] = np.where(total > 0, mixed, probability[first:])
    surprisals: NDArray[np.float64] = -np.log2(probability)
    return surprisals


def _keys(tokens: _Keys, order: int, size: np.int64) -> _Keys:
    """Return each token together with the ``order`` tokens before it as one number."""
    count = max(0, len(tokens) - order)
    keys = np.zeros(count, dtype=np.int64)
    for shift in range(order + 1):
        keys = keys * size + tokens[shift : shift + count]
    return keys


def _occurrences(keys: _Keys, asked: _Keys) -> _Keys:
    """Return how often each asked key occurs among the keys; both are rising."""
    return np.searchsorted(keys, asked, "right") - np.searchsorted(keys, asked, "left")
