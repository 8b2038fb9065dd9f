"""The product as it reads: its gate goes on learning, from every piece of a text once it is judged.

So do the mixers of PAQ, Mahoney (2005). A gate that was taught on the training text finds another
one a little different: more of it is new, or another author goes on. Network and counts stay as
they are; and no token is learned from before it is judged.

Shapes: R places, V vocabulary, E features, P parts.
"""

from copy import deepcopy

import torch
from torch import Tensor

from textgen.counts.experts import Experts
from textgen.counts.product import Product

LEARNING_RATE = 8e-5
"""For every place. Half as much, or twice, is worse by some thousandths of a bit at most."""

_MOST = 1.0
"""How far one piece moves the gate at most, as the norm of all that it changes: where a text is
altogether another one, in another script say, the first pieces would throw it too far."""

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
    """

    def __init__(self, product: Product) -> None:
        self.product = deepcopy(product)

    def __call__(self, features: Tensor, logits: Tensor, experts: Experts) -> Tensor:
        """Return what ``Product.forward`` does."""
        told: Tensor = self.product(features, logits, experts)
        return told

    def judge(
        self, features: Tensor, logits: Tensor, experts: Experts, targets: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return what ``Product.judge`` does, without a gradient, and then learn from it."""
        with torch.enable_grad():
            whole, parts = self.product.judge(features, logits, experts, targets)
            parameters = list(self.product.parameters())
            gradients = torch.autograd.grad(whole.sum(), parameters)
        norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        step = torch.clamp(_MOST / (norm + 1e-6), max=LEARNING_RATE)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.addcmul_(gradient, step)
        return whole.detach(), parts


def as_it_reads(product: Product, *, alone: bool) -> Product | Adapting:
    """Return what judges a text from its beginning to its end.

    Args:
        product: stays as it is.
        alone: whether the text is one of items, which stand for themselves: then nothing is
            learned from one for the next.
    """
    return product if alone else Adapting(product)
