"""torch's own recurrent layers, under the contract of the LSTM from scratch.

Shapes: B batch, T steps, I input size, H hidden size, L layers.

Floats (B, T, I) or ids (B, T) go in, and a state that is always a tuple of tensors (L, B, H):
hidden state and memory for the LSTM, the hidden state alone for GRU and RNN.
"""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from textgen.config import Cell, Implementation
from textgen.model.lstm import LSTM, drop_units
from textgen.model.state import State, zeros

# Dropped and looked-up weights are new tensors at every step; cuDNN says that it copies them.
warnings.filterwarnings("ignore", "RNN module weights are not part of single contiguous chunk")

_FUNCTIONS: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "LSTM": torch.lstm,
    "GRU": torch.gru,
    "RNN_TANH": torch.rnn_tanh,
}


class _Layers(nn.RNNBase):
    """What torch's layers lack: ids as inputs, one form of state for all, recurrent dropout."""

    recurrent_dropout = 0.0

    def expect_ids(self) -> None:
        """Do nothing: cuDNN only takes weights that lie in memory row by row."""

    def begin_state(self, batch_size: int) -> State:
        """Return the state before the first step; see ``textgen.model.state``."""
        parts = 2 if self.mode == "LSTM" else 1
        like = next(self.parameters())
        return zeros(parts, (self.num_layers, batch_size, self.hidden_size), like)

    def forward(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run over a sequence; see ``textgen.model.lstm.LSTM.forward``."""
        if state is None:
            state = self.begin_state(len(inputs))
        weights: list[Tensor] = list(self.parameters())
        if self.training:
            weights[1::4] = [drop_units(weight, self.recurrent_dropout) for weight in weights[1::4]]
        if not inputs.is_floating_point():
            # torch's layers take no ids. So the rows of the one-hot input's weights are looked
            # up first, and the layer gets them with the identity as its weights: a quarter of
            # the work of a real one-hot input already at V = 16 H, and exactly the same result.
            inputs = functional.embedding(inputs, weights[0].t())
            weights[0] = torch.eye(inputs.shape[-1], dtype=inputs.dtype, device=inputs.device)
        outputs, *new_state = _FUNCTIONS[self.mode](
            inputs,
            state if len(state) > 1 else state[0],
            weights,
            True,
            self.num_layers,
            self.dropout,
            self.training,
            False,
            True,
        )
        # Under autocast it comes back narrower than it went in.
        return outputs, tuple(part.to(state[0].dtype) for part in new_state)


class FrameworkLSTM(_Layers, nn.LSTM):  # type: ignore[misc] # its own forward goes
    """``nn.LSTM``."""


class FrameworkGRU(_Layers, nn.GRU):  # type: ignore[misc] # its own forward goes
    """``nn.GRU``."""


class FrameworkRNN(_Layers, nn.RNN):  # type: ignore[misc] # its own forward goes
    """``nn.RNN``."""


_FRAMEWORK: dict[str, Callable[..., _Layers]] = {
    "lstm": FrameworkLSTM,
    "gru": FrameworkGRU,
    "rnn": FrameworkRNN,
}


def recurrent_layers(
    implementation: Implementation,
    cell: Cell,
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
) -> "LSTM | _Layers":
    """Return the layers of that name, whose parameters are called as ``nn.LSTM``'s are."""
    if implementation == "scratch":
        return LSTM(input_size, hidden_size, num_layers, dropout, recurrent_dropout)
    layers = _FRAMEWORK[cell](
        input_size,
        hidden_size,
        num_layers,
        batch_first=True,
        dropout=dropout if num_layers > 1 else 0.0,  # else torch warns
    )
    layers.recurrent_dropout = recurrent_dropout
    return layers
