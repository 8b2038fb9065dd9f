"""Experts: what counting knows of the next token, each as a log ratio.

With c(h w) how often the token w followed the history h, and t(h) how many tokens did,

    p_k(w) = (max(c(h w) - D, 0) + D kinds(h) p_k-1(w)) / t(h)        h the last k tokens
    phi_k(w) = log p_k(w) - log p_k-1(w)                              0 for all w where h is new

p_0 is u, the frequencies. So the sum of phi_1 to phi_k and log u is log p_k: absolute discounting,
Ney et al. (1994), taken apart into what each longer history adds. There are two families: all that
counts, and of what was read lately the last two places only. Beside them windows of what was read
lately, the last n tokens in which w stood c times:

    phi(w) = log((c + M u(w)) / (n + M)) - log u(w)

To all tokens that did not follow, or do not stand in the window, an expert gives one constant,
which the softmax takes away. So of histories only those that did take any work, some hundreds of V;
windows, which a stretch of places shares, are written out.

A history that skips, c-3 c-2 _ w, says what it adds to u alone: phi_1 of the formula above. Only
where a token is a word or a good part of one, as in Chinese, is there something to skip.

Shapes: R places, V vocabulary, K longest history, S that skip, J = 2 K + S + 3 experts, G
groups of places that see the same windows, n tokens that followed, in all places.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.counts.histories import Followed, Integers
from textgen.counts.reading import Seen

WINDOWS = (50, 500, 5000)
"""Tokens."""

DISCOUNT = 0.6

SCALE = 0.25
"""Of the gate's inputs: log(1 + n) is 8 for some thousands."""

_MASS = 300.0
"""M: how many tokens, as frequent as always, a window is filled up with."""

_UNSEEN = 0.3
"""What is added to every token's count: one that did not occur is not impossible."""

_ENOUGH = 1.8
"""How many times as long as the text can tell apart the longest history is."""

_LONGEST = 8

_SKIPS, _SKIPPING = 2, 4
"""Histories that skip, and K up to which there are any."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Form:
    """Which experts there are."""

    longest: int
    """K."""

    skips: int = 0
    """S."""

    @property
    def num_experts(self) -> int:
        """J."""
        return 2 * self.longest + self.skips + len(WINDOWS)

    @property
    def num_inputs(self) -> int:
        """C, what a gate is told of them."""
        return 4 * self.longest + 2 * self.skips + len(WINDOWS)


@dataclass(frozen=True)
class Expert:
    """What one history says at R places: how much likelier the tokens are that followed it."""

    keys: Integers
    """Row times V plus token, (n,), rising."""

    rows: Integers
    """(n,)."""

    values: Floats
    """phi less its constant, above 0, (n,)."""


@dataclass(frozen=True)
class Experts:
    """What all experts say at R places."""

    log_frequencies: Floats
    """log u, (V,)."""

    histories: list[Expert]
    """Of all that counts by length, of what was read lately by length, and those that skip."""

    windows: Floats
    """The windows' phi less its constant, (G, 3, V)."""

    groups: list[slice]
    """The places that see each."""

    constants: Floats
    """phi of a token that did not follow, (R, J)."""

    inputs: Floats
    """log(1 + n) of how many tokens, and how many kinds, each history and window has, (R, C)."""


def frequencies_of(counts: Integers | Floats) -> NDArray[np.float64]:
    """Return u (V,), from how often every token stands in the text that is learned (V,)."""
    frequencies: NDArray[np.float64] = (counts + _UNSEEN) / (counts + _UNSEEN).sum()
    return frequencies


def form_for(frequencies: NDArray[np.float64], length: int) -> Form:
    """Return which experts there are for a text of so many tokens."""
    longest = longest_history(frequencies, length)
    return Form(longest, _SKIPS) if longest <= _SKIPPING else Form(longest)


def longest_history(frequencies: NDArray[np.float64], length: int) -> int:
    """Return K for a text of so many tokens: the longer, the fewer kinds there are.

    Histories of log N / entropy tokens are as many as the text has places, on average. Chinese
    characters come to 3 or 4, letters to 8.
    """
    entropy = -float((frequencies * np.log(frequencies)).sum())
    told_apart = math.log(max(2, length)) / max(entropy, 1e-9)
    return round(min(_LONGEST, max(2.0, _ENOUGH * told_apart)))


def consult(seen: Seen, frequencies: Floats) -> Experts:
    """Return what the experts say, in the type of the frequencies.

    Args:
        seen: what was read before R places.
        frequencies: u, (V,).
    """
    kind = frequencies.dtype
    rows = len(seen.since)
    constants: list[Floats] = []
    inputs: list[Integers] = []
    longest = seen.latest.shape[1]
    histories = [
        *_of_all(seen.followed[:longest], frequencies, rows, constants, inputs),
        *_of_latest(seen.latest, frequencies, constants, inputs),
    ]
    for skipping in seen.followed[longest:]:
        histories += _of_all([skipping], frequencies, rows, constants, inputs)
    windows, groups = _of_windows(seen, frequencies, constants, inputs)
    return Experts(
        np.log(frequencies),
        histories,
        windows,
        groups,
        np.stack(constants, axis=1).astype(kind),
        np.log1p(np.stack(inputs, axis=1)).astype(kind),
    )


def _of_all(
    followed: list[Followed],
    frequencies: Floats,
    num_rows: int,
    constants: list[Floats],
    inputs: list[Integers],
) -> list[Expert]:
    """Return what the histories of each length say, which back off one to the other."""
    kind, vocab_size = frequencies.dtype, len(frequencies)
    # What follows a history also follows its end: the tokens of the shortest are enough for all.
    first = followed[0]
    every_key, probability = first.keys(vocab_size), frequencies[first.tokens]
    experts = []
    for known in followed:
        total = np.bincount(known.rows, known.counts, minlength=num_rows)
        kinds = np.bincount(known.rows, minlength=num_rows)
        left = _left(total, kinds).astype(kind)
        constants.append(np.log(left))
        inputs += [total, kinds]
        keys = known.keys(vocab_size)
        at = slice(None) if known is first else np.searchsorted(every_key, keys)
        backed_off = left[known.rows] * probability[at]
        own = (known.counts - DISCOUNT).astype(kind) / total.astype(kind)[known.rows]
        probability *= left[first.rows]
        probability[at] = backed_off + own
        experts.append(Expert(keys, known.rows, np.log1p(own / backed_off)))
    return experts


def _of_latest(
    latest: NDArray[np.int64], frequencies: Floats, constants: list[Floats], inputs: list[Integers]
) -> list[Expert]:
    """Return the experts of the second family."""
    vocab_size = len(frequencies)
    tokens = latest.reshape(len(latest), -1)  # of all lengths, since each backs off
    probability = frequencies[np.maximum(tokens, 0)]
    same = (tokens[:, :, None] == tokens[:, None, :]) & (tokens >= 0)[:, None, :]
    repeated = np.tril(same, -1).any(axis=2)  # it stands further left already
    experts = []
    for k in range(latest.shape[1]):
        own = same[:, :, k * latest.shape[2] : (k + 1) * latest.shape[2]]
        counts = own.sum(axis=2)
        rows, slots = np.nonzero((counts > 0) & ~repeated)
        total, kinds = (latest[:, k] >= 0).sum(axis=1), np.bincount(rows, minlength=len(latest))
        left = _left(total, kinds).astype(frequencies.dtype)
        constants.append(np.log(left))
        inputs += [total, kinds]
        backed_off = left[:, None] * probability
        probability = backed_off + np.maximum(counts - DISCOUNT, 0) / np.maximum(total, 1)[:, None]
        probability = probability.astype(frequencies.dtype)
        keys = rows * vocab_size + tokens[rows, slots]
        order = np.argsort(keys)
        rows, slots = rows[order], slots[order]
        values = np.log(probability[rows, slots] / backed_off[rows, slots])
        experts.append(Expert(keys[order], rows, values))
    return experts


def _of_windows(
    seen: Seen, frequencies: Floats, constants: list[Floats], inputs: list[Integers]
) -> tuple[Floats, list[slice]]:
    """Return the windows' log ratios (G, 3, V), and who sees them."""
    changes = np.flatnonzero((np.diff(seen.until) != 0) | (np.diff(seen.since) != 0)) + 1
    begins, ends = np.append(0, changes), np.append(changes, len(seen.until))
    counts = np.empty((len(begins), len(WINDOWS), len(frequencies)), frequencies.dtype)
    for w, size in enumerate(WINDOWS):
        first = np.maximum(seen.until - size, seen.since)
        for group, row in enumerate(begins.tolist()):
            window = seen.text[first[row] : seen.until[row]]
            counts[group, w] = np.bincount(window, minlength=len(frequencies))
        length = seen.until - first
        constants.append(np.log(_MASS / (length + _MASS)))
        inputs.append(length)
    counts /= _MASS * frequencies
    return np.log1p(counts, out=counts), list(map(slice, begins.tolist(), ends.tolist()))


def _left(total: Integers | Floats, kinds: Integers) -> Floats:
    """Return the share that discounting leaves to the shorter history; all where none stood."""
    return np.where(total > 0, DISCOUNT * kinds / np.maximum(total, 1), 1.0)
