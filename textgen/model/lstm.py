"""The long short-term memory, written from scratch, forwards and backwards.

Shapes: B batch, T steps, I input size, H hidden size, L layers.
Source: Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000), as in Dive
into Deep Learning (zh.d2l.ai), chapter 9.2.

    I_t, F_t, O_t = sigmoid(X_t W_x + H_{t-1} W_h + b)      input, forget and output gate
    G_t           = tanh(X_t W_x + H_{t-1} W_h + b)         candidate memory
    C_t           = F_t * C_{t-1} + I_t * G_t               memory
    H_t           = O_t * tanh(C_t)                         hidden state

Parameters have ``torch.nn.LSTM``'s names, shapes and order of gates (i, f, g, o), so that the
two can load each other's. Its second bias is one too many (only the sum of both counts) and is
kept for that reason alone.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

from textgen.model.precision import add_product, compute_dtype

State = tuple[Tensor, ...]


class Recurrence(Function):
    """The equations above over all steps, and their gradient by hand.

    Autograd would find the same gradient, and take half as long again: here a step's results are
    written into one memory for all steps, and what does not depend on the step before is computed
    for all steps at once, the gradient of W_h with one matmul in place of T.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        projected: Tensor,
        hidden_before: Tensor,
        memory_before: Tensor,
        weight_hh: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Go through all steps.

        Args:
            ctx: where what the gradient needs is kept.
            projected: the input's part of the gates, X_t W_x + b, (T, B, 4H).
            hidden_before: H_0, (B, H).
            memory_before: C_0, (B, H).
            weight_hh: W_h of the four gates, (4H, H).

        Returns:
            The hidden states (T, B, H), the last one, and the last memory, both (B, H).
        """
        num_steps, batch_size, _ = projected.shape
        shape = (batch_size, weight_hh.shape[1])
        gates = torch.empty_like(projected, memory_format=torch.contiguous_format)
        hidden = projected.new_empty(num_steps + 1, *shape)
        memory = projected.new_empty(num_steps + 1, *shape)
        candidate, squashed = projected.new_empty(2, num_steps, *shape)
        hidden[0], memory[0] = hidden_before, memory_before
        ctx.dtype = compute_dtype(weight_hh)
        weight = weight_hh.t().to(ctx.dtype)
        if num_steps > 1:
            weight = weight.contiguous()  # so many matmuls are faster for it

        c, h = memory.unbind(), hidden.unbind()
        i, f, before_g, o = (gate.unbind() for gate in gates.chunk(4, dim=2))
        g, tanh_c = candidate.unbind(), squashed.unbind()
        for t, (x, gate) in enumerate(zip(projected.unbind(), gates.unbind(), strict=True)):
            add_product(x, h[t], weight, out=gate)
            torch.tanh(before_g[t], out=g[t])
            gate.sigmoid_()  # in one go, though nobody needs the candidate's
            torch.mul(f[t], c[t], out=c[t + 1]).addcmul_(i[t], g[t])
            torch.tanh(c[t + 1], out=tanh_c[t])
            torch.mul(o[t], tanh_c[t], out=h[t + 1])
        ctx.save_for_backward(gates, hidden, memory, candidate, squashed, weight_hh)
        return hidden[1:], h[-1], c[-1]

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any,  # noqa: ANN401
        d_hidden: Tensor,
        d_last: Tensor,
        d_memory: Tensor,
    ) -> tuple[Tensor, ...]:
        """Go back through all steps; ``d_`` is the gradient of the loss by what is named.

        dC_t = dC_{t+1} * F_{t+1} + dH_t * O_t * (1 - tanh(C_t)^2), and each gate's own gradient,
        before its sigmoid s or tanh, is dC_t or dH_t times what stood beside it in the equations
        and times s (1 - s) or 1 - tanh^2.
        """
        gates, hidden, memory, candidate, squashed, weight_hh = ctx.saved_tensors
        i, f, _, o = gates.chunk(4, dim=2)
        # All but dC_t and dH_t, for all steps at once.
        d_gates = torch.addcmul(gates, gates, gates, value=-1)
        d_i, d_f, d_g, d_o = d_gates.chunk(4, dim=2)
        d_i.mul_(candidate)
        d_f.mul_(memory[:-1])
        torch.addcmul(i, i, candidate * candidate, value=-1, out=d_g)
        d_o.mul_(squashed)
        d_c_by_d_h = torch.addcmul(o, o, squashed * squashed, value=-1)

        d_h = d_hidden.clone(memory_format=torch.contiguous_format)
        d_h[-1] += d_last
        d_c = d_memory.clone()
        weight = weight_hh.to(ctx.dtype)
        d_i_f_g = d_gates.unflatten(2, (4, -1))[:, :, :3]
        for t in reversed(range(len(d_h))):
            d_c.addcmul_(d_h[t], d_c_by_d_h[t])
            d_i_f_g[t].mul_(d_c[:, None])
            d_o[t].mul_(d_h[t])
            d_c.mul_(f[t])
            if t > 0:
                add_product(d_h[t - 1], d_gates[t], weight, out=d_h[t - 1])
        d_h_before = d_gates[0] @ weight_hh
        d_weight = d_gates.flatten(0, 1).t().to(ctx.dtype) @ hidden[:-1].flatten(0, 1).to(ctx.dtype)
        return d_gates, d_h_before, d_c, d_weight.to(weight_hh.dtype)


class LSTM(nn.Module):
    """LSTM layers on top of each other: what ``nn.LSTM(batch_first=True)`` computes.

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: L.
        dropout: share of the values dropped between two layers in training.
        recurrent_dropout: share of the units that are not heard at the next step in training.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        for layer in range(num_layers):
            size = input_size if layer == 0 else hidden_size
            self._add(f"weight_ih_l{layer}", 4 * hidden_size, size)
            self._add(f"weight_hh_l{layer}", 4 * hidden_size, hidden_size)
            self._add(f"bias_ih_l{layer}", 4 * hidden_size)
            self._add(f"bias_hh_l{layer}", 4 * hidden_size)
        self.reset_parameters()

    def _add(self, name: str, *shape: int) -> None:
        self.register_parameter(name, nn.Parameter(torch.empty(*shape)))

    def _parameter(self, name: str, layer: int) -> Tensor:
        return self.get_parameter(f"{name}_l{layer}")

    def reset_parameters(self) -> None:
        """Draw every weight uniformly from ±1/sqrt(H), as ``nn.LSTM`` does."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def expect_ids(self) -> None:
        """Lay W_x of the first layer out in memory by its columns, which ids look up.

        Its values and its shape stay, and its gradient gets the same layout: with a vocabulary of
        4,446, looking up and the gradient take a sixth of the time.
        """
        weight = self._parameter("weight_ih", 0)
        weight.data = weight.detach().t().contiguous().t()

    def forward(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run over a sequence.

        Args:
            inputs: floats (B, T, I); or ids (B, T), each standing for a one-hot vector of size I.
            state: hidden state and memory, both (L, B, H); zeros when not given.

        Returns:
            The last layer's hidden states (B, T, H), and the new state.
        """
        if state is None:
            shape = (self.num_layers, inputs.shape[0], self.hidden_size)
            zeros = self._parameter("weight_hh", 0).new_zeros(shape)
            state = (zeros, zeros)
        outputs, hiddens, memories = inputs.transpose(0, 1), [], []  # inside, time comes first
        for layer in range(self.num_layers):
            if layer > 0:
                outputs = functional.dropout(outputs, self.dropout, self.training)
            hidden, memory = state[0][layer], state[1][layer]
            outputs, hidden, memory = self._run_layer(layer, outputs, hidden, memory)
            hiddens.append(hidden)
            memories.append(memory)
        return outputs.transpose(0, 1), (torch.stack(hiddens), torch.stack(memories))

    def _run_layer(
        self, layer: int, inputs: Tensor, hidden: Tensor, memory: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        weight_ih, weight_hh, bias_ih, bias_hh = (
            self._parameter(name, layer)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        # The input's part of the gates does not depend on the state: one matmul for all steps.
        projected = project(inputs, weight_ih, bias_ih + bias_hh)
        if self.training:
            weight_hh = drop_units(weight_hh, self.recurrent_dropout)
        run: Callable[..., tuple[Tensor, Tensor, Tensor]] = Recurrence.apply
        return run(projected.to(memory.dtype), hidden, memory, weight_hh)


def drop_units(weight_hh: Tensor, share: float) -> Tensor:
    """Return W_h (4H, H) with some of its columns 0 and the others scaled up.

    So a share of the units is not heard at the next step, the same ones at all steps and in all
    rows of a batch: recurrent dropout as in Gal & Ghahramani (2016), for the price of one product.
    """
    if share == 0:
        return weight_hh
    return weight_hh * functional.dropout(torch.ones_like(weight_hh[:1]), share)


def project(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return W x + b: x floats (T, B, I) or ids (T, B), W (G, I), b (G), to (T, B, G).

    A one-hot vector times a matrix is one of its rows: the row is looked up, and the floats
    (T, B, I) of the one-hot vectors are never built.
    """
    if inputs.is_floating_point():
        return functional.linear(inputs, weight, bias)
    return functional.embedding(inputs, weight.t()) + bias
