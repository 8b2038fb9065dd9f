"""The gated recurrent unit, written from scratch: the LSTM's smaller relative.

Shapes: B batch, H hidden size.
Source: Cho et al. (2014), in the form that cuDNN and torch compute, as in Dive into Deep Learning
(zh.d2l.ai), chapter 9.1, but for the place of R_t in the candidate: there R_t * H_{t-1} goes
through W_h, here what has gone through W_h is multiplied.

    R_t = sigmoid(X_t W_x + H_{t-1} W_h + b)                reset gate
    Z_t = sigmoid(X_t W_x + H_{t-1} W_h + b)                update gate
    N_t = tanh(X_t W_x + b + R_t * (H_{t-1} W_h + b'))      candidate
    H_t = (1 - Z_t) * N_t + Z_t * H_{t-1}                   hidden state

There is no memory beside the hidden state, and one gate, Z_t, does what input and forget gate do
in an LSTM: as much as is kept of the old is not taken of the new.
"""

import torch
from torch import Tensor

from textgen.model.layers import RecurrentLayers, Weights, project, run_steps
from textgen.model.state import State


def gru_step(x: Tensor, h: Tensor, w_h: Tensor, b: Tensor) -> Tensor:
    """Go one step in time: the equations above.

    Args:
        x: the input's part of the gates, X_t W_x + b, (B, 3H).
        h: the hidden state before, H_{t-1}, (B, H).
        w_h: W_h of the gates, in the order r, z, n, (3H, H).
        b: the second bias of the gates, (3H,).

    Returns:
        The hidden state H_t, (B, H).
    """
    r_x, z_x, n_x = x.chunk(3, dim=1)
    r_h, z_h, n_h = (h @ w_h.t() + b).chunk(3, dim=1)
    r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
    n = torch.tanh(n_x + r * n_h)
    return (1 - z) * n + z * h


class GRU(RecurrentLayers):
    """GRU layers on top of each other: what ``nn.GRU`` computes; see ``RecurrentLayers``."""

    num_gates = 3
    num_parts = 1

    def run_layer(
        self, inputs: Tensor, before: State, weights: Weights, lengths: Tensor | None
    ) -> tuple[Tensor, State]:
        """Run one layer in one direction; see ``RecurrentLayers``."""

        def step(x: Tensor, state: State) -> State:
            (h,) = state
            return (gru_step(x, h, weights.of_hidden, weights.bias_hh),)

        projected = project(inputs, weights.of_input, weights.bias_ih)
        return run_steps(step, projected, before, lengths)
