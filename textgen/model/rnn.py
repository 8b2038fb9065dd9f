"""The plain recurrent network, written from scratch: no gate, and so no long memory.

Shapes: B batch, H hidden size.
Source: Elman (1990), as in Dive into Deep Learning (zh.d2l.ai), chapter 8.4.

    H_t = tanh(X_t W_x + H_{t-1} W_h + b)                   hidden state

All of the state is written anew at every step: what is to be remembered has to pass through W_h
and tanh each time, and fades, or drowns. ``textgen sanity --task copy-memory`` shows it.
"""

import torch
from torch import Tensor

from textgen.model.layers import RecurrentLayers, Weights, project, run_steps
from textgen.model.state import State


def rnn_step(x: Tensor, h: Tensor, w_h: Tensor) -> Tensor:
    """Go one step in time: the equation above.

    Args:
        x: the input's part, X_t W_x + b, (B, H).
        h: the hidden state before, H_{t-1}, (B, H).
        w_h: W_h, (H, H).

    Returns:
        The hidden state H_t, (B, H).
    """
    return torch.tanh(x + h @ w_h.t())


class RNN(RecurrentLayers):
    """Plain layers on top of each other: what ``nn.RNN`` computes; see ``RecurrentLayers``."""

    num_gates = 1
    num_parts = 1

    def run_layer(
        self, inputs: Tensor, before: State, weights: Weights, lengths: Tensor | None
    ) -> tuple[Tensor, State]:
        """Run one layer in one direction; see ``RecurrentLayers``."""

        def step(x: Tensor, state: State) -> State:
            (h,) = state
            return (rnn_step(x, h, weights.of_hidden),)

        projected = project(inputs, weights.of_input, weights.bias_ih + weights.bias_hh)
        return run_steps(step, projected, before, lengths)
