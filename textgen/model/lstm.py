"""The long short-term memory, written from scratch.

Shapes: B batch, T steps, I input size, H hidden size, L layers.
Source: Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000), as in Dive
into Deep Learning (zh.d2l.ai), chapter 9.2.

    I_t, F_t, O_t = sigmoid(X_t W_x + H_{t-1} W_h + b)      input, forget and output gate
    G_t           = tanh(X_t W_x + H_{t-1} W_h + b)         candidate memory
    C_t           = F_t * C_{t-1} + I_t * G_t               memory
    H_t           = O_t * tanh(C_t)                         hidden state

The same as code is ``lstm_step``, below. The layers take their steps faster, see
``recurrence.py``, and come to the same.

Parameters have ``torch.nn.LSTM``'s names, shapes and order of gates (i, f, g, o), so that the
two can load each other's. Its second bias is one too many (only the sum of both counts) and is
kept for that reason alone.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from textgen.model.recurrence import Recurrence
from textgen.model.state import State, zeros

Activation = Callable[[Tensor], Tensor]


def lstm_step(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    w_h: Tensor,
    sigmoid: Activation = torch.sigmoid,
    tanh: Activation = torch.tanh,
) -> tuple[Tensor, Tensor]:
    """Go one step in time: the equations above.

    Args:
        x: the input's part of the four gates, X_t W_x + b, (B, 4H).
        h: the hidden state before, H_{t-1}, (B, H).
        c: the memory before, C_{t-1}, (B, H).
        w_h: W_h of the four gates, (4H, H).
        sigmoid: what opens and shuts a gate; the memory cell that is made by hand has another one.
        tanh: what squashes candidate and memory.

    Returns:
        The hidden state H_t and the memory C_t, both (B, H).
    """
    i, f, g, o = (x + h @ w_h.t()).chunk(4, dim=1)
    i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)
    g = tanh(g)
    c = f * c + i * g
    h = o * tanh(c)
    return h, c


def plain_recurrence(
    projected: Tensor, hidden: Tensor, memory: Tensor, weight_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Go through all steps one by one; autograd finds the gradient.

    Arguments and results are those of ``Recurrence.forward``.
    """
    states = []
    for x in projected:
        hidden, memory = lstm_step(x, hidden, memory, weight_hh)
        states.append(hidden)
    return torch.stack(states), hidden, memory


class LSTM(nn.Module):
    """LSTM layers on top of each other: what ``nn.LSTM(batch_first=True)`` computes.

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: L.
        dropout: share of the values dropped between two layers in training.
        recurrent_dropout: share of the units that are not heard at the next step in training.
        fast: whether ``Recurrence`` goes through the steps, or ``lstm_step`` as it stands above:
            the same numbers, to rounding, in more time.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        *,
        fast: bool = True,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.fast = fast
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

    def begin_state(self, batch_size: int) -> State:
        """Return hidden state and memory before the first step, both (L, B, H)."""
        like = self._parameter("weight_hh", 0)
        return zeros(2, (self.num_layers, batch_size, self.hidden_size), like)

    def forward(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run over a sequence.

        Args:
            inputs: floats (B, T, I); or ids (B, T), each standing for a one-hot vector of size I.
            state: hidden state and memory, both (L, B, H); zeros when not given.

        Returns:
            The last layer's hidden states (B, T, H), and the new state.
        """
        if state is None:
            state = self.begin_state(len(inputs))
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
        run: Callable[..., tuple[Tensor, Tensor, Tensor]]
        run = Recurrence.apply if self.fast else plain_recurrence
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
