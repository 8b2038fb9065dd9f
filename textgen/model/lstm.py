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
"""

from collections.abc import Callable

import torch
from torch import Tensor

from textgen.model.layers import RecurrentLayers, Weights, project, run_steps
from textgen.model.recurrence import Recurrence
from textgen.model.state import State

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
        w_h: W_h of the four gates, in the order i, f, g, o, (4H, H).
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
    projected: Tensor,
    hidden: Tensor,
    memory: Tensor,
    weight_hh: Tensor,
    weight_hr: Tensor | None = None,
    lengths: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Go through all steps one by one; autograd finds the gradient.

    Arguments and results are those of ``Recurrence.forward``, and two more.

    Args:
        projected: the input's part of the gates, (T, B, 4H).
        hidden: H_0, (B, H).
        memory: C_0, (B, H).
        weight_hh: W_h of the four gates, (4H, H).
        weight_hr: what each hidden state is brought down by, (P, H); H is P elsewhere, then.
        lengths: steps of each row, (B,); all T when not given.
    """

    def step(x: Tensor, state: State) -> State:
        h, c = state
        h, c = lstm_step(x, h, c, weight_hh)
        return (h if weight_hr is None else h @ weight_hr.t()), c

    outputs, (hidden, memory) = run_steps(step, projected, (hidden, memory), lengths)
    return outputs, hidden, memory


class LSTM(RecurrentLayers):
    """LSTM layers on top of each other: what ``nn.LSTM`` computes.

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: L.
        bias: whether there are biases.
        batch_first: whether inputs and outputs are (B, T, ...) or, False as in torch, (T, B, ...).
        dropout: share of the values dropped between two layers in training.
        bidirectional: whether a second layer beside each reads from the end to the beginning.
        proj_size: P, values that the hidden state is brought down to; 0 leaves it alone.
        recurrent_dropout: share of the units that are not heard at the next step in training.
        fast: whether ``Recurrence`` goes through the steps, or ``lstm_step`` as it stands above:
            the same numbers, to rounding, in more time. Packed sequences and projections always
            take the plain way.
    """

    num_gates = 4
    num_parts = 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        recurrent_dropout: float = 0.0,
        fast: bool = True,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            recurrent_dropout=recurrent_dropout,
        )
        self.fast = fast

    def run_layer(
        self, inputs: Tensor, before: State, weights: Weights, lengths: Tensor | None
    ) -> tuple[Tensor, State]:
        """Run one layer in one direction; see ``RecurrentLayers``."""
        # The input's part of the gates does not depend on the state: one matmul for all steps.
        projected = project(inputs, weights.of_input, weights.bias_ih + weights.bias_hh)
        projected = projected.to(before[0].dtype)  # under autocast it is narrower
        w_h, w_r = weights.of_hidden, weights.of_projection
        if self.fast and lengths is None and w_r is None:
            run: Callable[..., tuple[Tensor, Tensor, Tensor]] = Recurrence.apply
            outputs, h, c = run(projected, *before, w_h)
        else:
            h, c = before
            outputs, h, c = plain_recurrence(projected, h, c, w_h, w_r, lengths)
        return outputs, (h, c)
