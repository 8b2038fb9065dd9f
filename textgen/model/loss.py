"""The output layer and its cross-entropy in one, made for training: fast, and small in memory.

Shapes: N tokens, E features, V vocabulary, C classes that are summed over.

A big vocabulary makes the output layer most of a training step's work. Two things save the most
of it. The logits stand in one buffer, a chunk of rows at a time, that every step uses again: a new
tensor of N V floats costs as much in page faults as in arithmetic. And the sum over all classes,
that the softmax divides by, is estimated: the most frequent classes are in it always, each of the
others with a probability of p, and then 1/p times. Its expected value is the whole sum, and every
class is asked for sooner or later. Source: importance sampling as in Bengio & Senécal (2003), with
the frequent classes exact. Evaluation always sums over all.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from textgen.model.precision import add_product, compute_dtype

ALWAYS = 1024
"""The most frequent classes, which are always summed over; ids are sorted by falling frequency."""

_PROBABILITY = 0.2
"""How often each of the other classes is. The estimated sum is right on average; its logarithm, the
loss, is too low, and the lower the rarer a class is drawn: with 512 and 0.06, a text with many rare
characters was learned visibly worse (docs/performance.md)."""

_CHUNK = 512
"""Rows of logits at a time."""

_LEAST = torch.finfo(torch.float32).tiny
"""A probability of 0 is taken for this: what it costs, 87 nats, is still a number."""

_ROW = 16
"""Floats that a row of logits is rounded up to: matrix products are a third faster for it."""


@dataclass(frozen=True)
class Classes:
    """The classes that a step sums over.

    Args:
        ids: rising, (C,); every target is among them.
        log_weights: what is added to their logits, except to that of a row's own target, (C,).
        places: of every class its place among ``ids``, (V,); where it is none, anything.
    """

    ids: Tensor
    log_weights: Tensor
    places: Tensor


def draw_classes(targets: Tensor, vocab_size: int) -> Classes:
    """Draw the classes of a step; a target that was not drawn counts for its own rows only."""
    device = targets.device
    drawn = torch.rand(vocab_size, device=device) < _PROBABILITY
    drawn[:ALWAYS] = True
    needed = drawn.clone()
    needed[targets] = True
    ids = needed.nonzero().flatten()
    log_weights = torch.where(drawn[ids], -math.log(_PROBABILITY), -torch.inf)
    log_weights[:ALWAYS] = 0.0
    places = torch.zeros(vocab_size, dtype=torch.long, device=device)
    places[ids] = torch.arange(len(ids), device=device)
    return Classes(ids, log_weights, places)


def linear_cross_entropy(
    features: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    classes: Classes | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the mean cross-entropy in nats; the gradient is computed with it.

    With label smoothing (Szegedy et al. 2016, chapter 7) the gradient is that of the smoothed
    loss. What is returned is not, so that its perplexity means what it says.

    Args:
        features: what the output layer reads, (N, E).
        weight: the output layer's, (V, E).
        bias: the output layer's, (V,).
        targets: ids, (N,), of type long.
        classes: what is summed over; every class when not given.
        label_smoothing: share of every target that goes to all classes alike; over all classes.
    """
    run: Callable[..., Tensor] = _LinearCrossEntropy.apply
    features = features.to(compute_dtype(features))
    if classes is None:
        return run(features, weight, bias, targets, None, label_smoothing)
    chosen = weight.index_select(0, classes.ids), bias.index_select(0, classes.ids)
    return run(features, *chosen, classes.places[targets], classes.log_weights, 0.0)


class _LinearCrossEntropy(Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Tensor,
        log_weights: Tensor | None,
        label_smoothing: float,
    ) -> Tensor:
        count = len(features)
        narrow = weight.to(features.dtype)  # the products' type; all else is in the weights'
        d_features = torch.empty_like(features)
        d_weight, d_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        total = weight.new_zeros(())
        logits = _rows(min(_CHUNK, count), weight)
        parts = zip(
            features.split(_CHUNK),
            targets[:, None].split(_CHUNK),
            d_features.split(_CHUNK),
            strict=True,
        )
        for x, y, d_x in parts:
            z = add_product(bias, x, narrow.t(), out=logits[: len(x)])
            if log_weights is not None:
                own = z.gather(1, y)
                z.add_(log_weights).scatter_(1, y, own)
            torch.softmax(z, dim=1, out=z)
            chances = z.gather(1, y)
            total -= chances.clamp(min=_LEAST).log().sum()
            # The gradient: each class's probability, less one for the target.
            z.scatter_add_(1, y, torch.full_like(chances, label_smoothing - 1))
            if label_smoothing:
                z.sub_(label_smoothing / len(weight))
            d_bias += z.sum(dim=0)
            d_z = z.to(d_x.dtype)
            torch.mm(d_z, narrow, out=d_x)
            add_product(d_weight, d_z.t(), x, out=d_weight)
        ctx.save_for_backward(d_features, d_weight, d_bias)
        ctx.count = count
        return total / count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        share = d_loss / ctx.count
        return *(gradient * share for gradient in ctx.saved_tensors), None, None, None


_kept = threading.local()
"""Each thread's buffer: two trainings in one would write over each other's logits."""


def _rows(count: int, like: Tensor) -> Tensor:
    """Return the thread's buffer as that many rows, one column for each row of ``like``."""
    columns = len(like)
    padded = -(-columns // _ROW) * _ROW
    buffer: Tensor = getattr(_kept, "buffer", like[:0])
    if buffer.numel() < count * padded or not _same_kind(buffer, like):
        buffer = _kept.buffer = like.new_empty(count * padded)
    return buffer[: count * padded].view(count, padded)[:, :columns]


def _same_kind(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and a.device == b.device
