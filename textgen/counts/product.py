"""The network multiplied with counts, and the gate that says how far to trust whom.

With z the network's logits, u the tokens' frequencies and phi_j what the experts say (``experts``),

    product = softmax(a z + a_u log u + sum_j a_j phi_j)
    p       = g product + g_0 network + sum_i g_i p_i

p_i are the two families' longest histories and the windows by themselves, each u exp(sum of its
phi). The gate gives all a and g anew at every place: 32 units look at what the network's output
layer reads, at how much is known of each history, and at how sure the network is. It begins with
the same a and g everywhere, about what they come to on average.

A product lets an expert forbid, where a sum only lets it propose: products of experts, Hinton
(2002); mixed like this, though bit by bit, in PAQ, Mahoney (2005), and with n-grams as residuals,
Li et al. (2022). Sums of the same: Kuhn & De Mori (1990); Grave et al. (2017).

The network is not changed by any of it: it learns beside it, from what it says alone.

Shapes: R places, V vocabulary, E features, J experts, P = J's parts with product and network.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from textgen.counts.experts import SCALE, Experts, Form
from textgen.counts.learned import Learned
from textgen.counts.ratios import Ratios

_UNITS = 32

_EXPONENTS = (0.7, 0.1, 0.25, 0.1, 0.05, 0.3)
"""To begin with: of the network, the frequencies, all that counts, the latest, the histories that
skip, and the windows. They come to about as much on novels."""

_TO_THE_PRODUCT = 3.0
"""Logit of the product in the final sum, to begin with; the others' are 0."""


class Product(nn.Module):
    """The network and the experts in one.

    Args:
        num_features: E.
        form: which experts there are.
    """

    def __init__(self, num_features: int, form: Form) -> None:
        super().__init__()
        longest, windows = form.longest, range(2 * form.longest + form.skips, form.num_experts)
        self.parts = [slice(0, longest), slice(longest, 2 * longest)]
        """The experts of each part of the final sum: the families, and each window by itself."""

        self.parts += [slice(window, window + 1) for window in windows]
        self.features = nn.Linear(num_features, _UNITS, bias=False)
        self.inputs = nn.Linear(form.num_inputs + 2, _UNITS)
        self.num_exponents = 2 + form.num_experts
        self.out = nn.Linear(_UNITS, self.num_exponents + 2 + len(self.parts))
        for weights in (self.features.weight, self.out.weight, self.out.bias):
            nn.init.zeros_(weights)
        numbers = torch.tensor([1, 1, longest, longest, form.skips, len(windows)])
        with torch.no_grad():
            self.out.bias[: self.num_exponents] = torch.tensor(_EXPONENTS).repeat_interleave(
                numbers
            )
            self.out.bias[self.num_exponents] = _TO_THE_PRODUCT

    def forward(self, features: Tensor, logits: Tensor, experts: Experts) -> Tensor:
        """Return the log probabilities (R, V) of every next token.

        Args:
            features: what the network's output layer reads, (R, E).
            logits: what it makes of them, (R, V).
            experts: what they say at the R places.
        """
        ratios = Ratios(experts, logits)
        network = logits.log_softmax(dim=1)
        a, log_g = self._gate(features, network, experts)
        g = log_g.exp()
        exponent = a[:, :1] * logits + a[:, 1:2] * ratios.log_frequencies
        product = ratios.add_to(exponent, a[:, 2:]).softmax(dim=1)
        chances = g[:, :1] * product + g[:, 1:2] * network.exp()
        for share, experts_of in zip(g[:, 2:].t(), self.parts, strict=True):
            constant = ratios.constants[:, experts_of].sum(dim=1, keepdim=True)
            said = ratios.add_to(ratios.log_frequencies + constant, None, experts_of)
            chances = chances + share[:, None] * said.exp()
        return chances.log()

    def judge(
        self, features: Tensor, logits: Tensor, experts: Experts, targets: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the log probabilities of the tokens that came: much faster than all of them.

        Args:
            features: what the network's output layer reads, (R, E).
            logits: what it makes of them, (R, V).
            experts: what they say at the R places.
            targets: ids (R,).

        Returns:
            Of the whole, (R,), with its gradient by the gate, and by the logits as far as the
            product goes; and of the parts, (R, P), without: the product, the network, all that
            counts, the latest, and the windows.
        """
        ratios = Ratios(experts, logits)
        network = logits.detach().log_softmax(dim=1)
        a, log_g = self._gate(features, network, experts)
        own = ratios.of(targets)
        run: Callable[..., Tensor] = _LogProduct.apply
        product = run(a, logits, ratios, targets, own)
        of_network = network.gather(1, targets[:, None])[:, 0]
        said = own + ratios.constants
        others = [said[:, part].sum(dim=1) + ratios.log_frequencies[targets] for part in self.parts]
        parts = torch.stack([product, of_network, *others], dim=1)
        return torch.logsumexp(parts + log_g, dim=1), parts.detach()

    def _gate(self, features: Tensor, network: Tensor, experts: Experts) -> tuple[Tensor, Tensor]:
        """Return the exponents a (R, 2 + J), of network, frequencies and experts, and log g."""
        entropy = -torch.linalg.vecdot(network.exp(), network)
        inputs = torch.from_numpy(experts.inputs).to(network)
        known = torch.cat([inputs, network.amax(dim=1, keepdim=True), entropy[:, None]], dim=1)
        units = torch.tanh(self.features(features) + self.inputs(SCALE * known))
        out = self.out(units)
        return out[:, : self.num_exponents], out[:, self.num_exponents :].log_softmax(dim=1)


class _LogProduct(Function):
    """The product's log probability of the tokens that came, with its gradient by a and logits."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        a: Tensor,
        logits: Tensor,
        ratios: Ratios,
        targets: Tensor,
        own: Tensor,
    ) -> Tensor:
        exponent = torch.mul(logits, a[:, :1]).addcmul_(a[:, 1:2], ratios.log_frequencies)
        ratios.add_to(exponent, a[:, 2:])
        came = exponent.gather(1, targets[:, None])
        highest = exponent.amax(dim=1, keepdim=True)
        weights = exponent.sub_(highest).exp_()
        total = weights.sum(dim=1, keepdim=True)
        if ctx.needs_input_grad[0]:
            # What each said of the token that came, less what it says on average.
            expected = torch.cat(
                [
                    torch.linalg.vecdot(weights, logits)[:, None],
                    (weights @ ratios.log_frequencies)[:, None],
                    ratios.expected(weights),
                ],
                dim=1,
            )
            said = [logits.gather(1, targets[:, None]), ratios.log_frequencies[targets, None], own]
            by_a = torch.cat(said, dim=1) - expected / total
            by_logits = None
            if ctx.needs_input_grad[1]:  # -a p, and a (1 - p) for the token that came
                by_logits = weights.mul_(-a[:, :1] / total)
                by_logits.scatter_add_(1, targets[:, None], a[:, :1])
            ctx.save_for_backward(by_a, by_logits)
        return (came - highest - total.log())[:, 0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        by_a, by_logits = ctx.saved_tensors
        of_row = gradient[:, None]
        by_logits = None if by_logits is None else by_logits * of_row
        return by_a * of_row, by_logits, None, None, None


@dataclass(frozen=True)
class Counts:
    """What a model knows beside its network."""

    learned: Learned
    product: Product
