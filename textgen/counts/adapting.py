"""The product as it reads: it goes on learning, from every piece of a text once it is judged.

Its gate does, as the mixers of PAQ do, Mahoney (2005). One that was taught on the training text
finds another one a little different: more of it is new, or another author goes on. And what the
network says is corrected by a linear layer, all zeros before a text: it learns what network and
counts together are wrong about, from the features that the network's own output layer reads. So it
is dynamic evaluation, Krause et al. (2018), of the last layer alone, and in place of a cache of
features, Grave et al. (2017). Network and counts stay as they are; and no token is learned from
before it is judged.

Shapes: R places, V vocabulary, C tokens that are corrected, F features, P parts.
"""

from copy import deepcopy

import torch
from torch import Tensor

from textgen.counts.experts import Experts
from textgen.counts.product import Product

LEARNING_RATE = 8e-5
"""The gate's, for every place. Half as much, or twice, is worse by some thousandths of a bit at
most."""

_MOST = 1.0
"""How far one piece moves the gate at most, as the norm of all that it changes: where a text is
altogether another one, in another script say, the first pieces would throw it too far."""

CORRECTED = 4096
"""Tokens that are corrected, the most frequent: a rarer one is seldom met a second time."""

CORRECTION_RATE = 2.0
"""The correction's learning rate, where features have a norm of 1. It falls for each token with the
root of all that it has learned: AdaGrad, Duchi et al. (2011)."""

_LEARNED = 10.0
"""What every token counts as having learned before."""

_LEAST, _PLACES = 16, 128
"""Places that are judged at once, and learned from: at least, and at most."""

_NUMBERS = 2**20
"""Probabilities that are worked on at once: they fit into the processor's cache."""


def piece_of(vocab_size: int) -> int:
    """Return how many places are judged at once, a power of two."""
    fitting = min(_PLACES, _NUMBERS // vocab_size)
    return max(_LEAST, 1 << max(1, fitting).bit_length() - 1)


class Adapting:
    """A copy of a product, which learns from what it has judged.

    Args:
        product: stays as it is.
        vocab_size: V.
    """

    def __init__(self, product: Product, vocab_size: int) -> None:
        self.product = deepcopy(product)
        self.gate = list(self.product.parameters())
        like = product.features.weight
        shape = min(vocab_size, CORRECTED), like.shape[1]
        self.correction = like.new_zeros(shape, requires_grad=True)
        """What is added to the logits for every feature, (C, F)."""

        self._learned = like.new_full((shape[0], 1), _LEARNED)

    def __call__(self, features: Tensor, logits: Tensor, experts: Experts) -> Tensor:
        """Return what ``Product.forward`` does."""
        told: Tensor = self.product(features, self._correct(features, logits), experts)
        return told

    def judge(
        self, features: Tensor, logits: Tensor, experts: Experts, targets: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return what ``Product.judge`` does, without a gradient, and then learn from it."""
        features, logits = features.detach(), logits.detach()
        with torch.enable_grad():
            corrected = self._correct(features, logits)
            whole, parts = self.product.judge(features, corrected, experts, targets)
            by_correction, *by_gate = torch.autograd.grad(
                whole.sum(), [self.correction, *self.gate]
            )
        with torch.no_grad():
            norm = torch.cat([gradient.flatten() for gradient in by_gate]).norm()
            step = torch.clamp(_MOST / (norm + 1e-6), max=LEARNING_RATE)
            for parameter, gradient in zip(self.gate, by_gate, strict=True):
                parameter.addcmul_(gradient, step)
            self._learn(by_correction, features.square().sum(dim=1).mean())
        return whole.detach(), parts

    def _correct(self, features: Tensor, logits: Tensor) -> Tensor:
        """Return the logits (R, V) with what the correction adds to them."""
        count = len(self.correction)
        corrected = logits[:, :count] + features @ self.correction.t()
        return torch.cat([corrected, logits[:, count:]], dim=1)

    def _learn(self, gradient: Tensor, square: Tensor) -> None:
        """Take a step of the correction's.

        Args:
            gradient: of what was judged, (C, F).
            square: of the features' norm, on average.
        """
        self._learned += gradient.square().sum(dim=1, keepdim=True) / square
        self.correction.addcdiv_(gradient, self._learned.sqrt() * square, value=CORRECTION_RATE)


def as_it_reads(product: Product, vocab_size: int, *, alone: bool) -> Product | Adapting:
    """Return what judges a text from its beginning to its end.

    Args:
        product: stays as it is.
        vocab_size: V.
        alone: whether the text is one of items, which stand for themselves: then nothing is
            learned from one for the next.
    """
    return product if alone else Adapting(product, vocab_size)
