"""The experts' formulas written down once more, as plainly as can be: dense, a place at a time."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.counts.experts import _MASS, DISCOUNT, WINDOWS, Experts
from textgen.counts.histories import Histories
from textgen.counts.learned import Learned
from textgen.text.vocab import TokenIds

Dense = NDArray[np.float64]


def make_ids(count: int, vocab_size: int, seed: int = 0) -> TokenIds:
    """Return a text that repeats itself: a token is often what it was some tokens before."""
    draw = np.random.default_rng(seed)
    ids = draw.integers(vocab_size, size=count, dtype=np.int32)
    for place in range(7, count):
        if draw.random() < 0.7:
            ids[place] = ids[place - 7]
    return ids


def make_learned(count: int, vocab_size: int, skips: int = 2) -> Learned:
    """Return what was counted of a text, with histories that skip however few tokens there are."""
    tokens = make_ids(count, vocab_size)
    learned = Learned.of(tokens, vocab_size)
    histories = Histories.of(tokens, vocab_size, learned.form.longest, skips)
    return replace(learned, histories=histories)


def make_experts(
    count: int = 40, vocab_size: int = 6, kind: type[np.floating[Any]] = np.float64
) -> tuple[Learned, Experts]:
    """Return what is said in a text of so many tokens, after another one was counted."""
    learned = make_learned(150, vocab_size)
    reading = learned.reading(make_ids(count, vocab_size, 1), make_ids(9, vocab_size, 2))
    return learned, learned.consult(reading.seen(np.arange(count)), kind)


def dense(experts: Experts) -> Dense:
    """Return what all experts say of all tokens, (R, J, V)."""
    vocab_size = len(experts.log_frequencies)
    phi = np.repeat(experts.constants.astype(np.float64)[:, :, None], vocab_size, axis=2)
    for j, expert in enumerate(experts.histories):
        phi[expert.rows, j, expert.keys - expert.rows * vocab_size] += expert.values
    for group, windows in zip(experts.groups, experts.windows, strict=True):
        phi[group, len(experts.histories) :] += windows
    return phi


def discounted(counts: list[Dense], frequencies: Dense) -> list[Dense]:
    """Return phi (V,) of each length, from how often each token followed, (V,)."""
    phi, shorter = [], frequencies
    for c in counts:
        t, kinds = c.sum(), (c > 0).sum()
        longer = shorter
        if t > 0:
            longer = (np.maximum(c - DISCOUNT, 0) + DISCOUNT * kinds * shorter) / t
        phi.append(np.log(longer) - np.log(shorter))
        shorter = longer
    return phi


def windowed(before: TokenIds, frequencies: Dense) -> list[Dense]:
    """Return phi (V,) of each window of what was read."""
    phi = []
    for size in WINDOWS:
        c = np.bincount(before[-size:], minlength=len(frequencies))
        n = len(before[-size:])
        share = (c + _MASS * frequencies) / (n + _MASS)
        phi.append(np.log(share) - np.log(frequencies))
    return phi
