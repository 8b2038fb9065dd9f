"""torch's own recurrent layers, under the contract of those from scratch.

Shapes: B batch, T steps, I input size, H hidden size, L layers, D directions (1 or 2).

Floats (B, T, I) or ids (B, T) go in, and a state that is always a tuple of tensors (L D, B, H):
hidden state and memory for the LSTM, the hidden state alone for GRU and RNN.
"""

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from textgen.config import Cell, Implementation
from textgen.errors import UsageError
from textgen.model.gru import GRU
from textgen.model.layers import RecurrentLayers, drop_units
from textgen.model.lstm import LSTM
from textgen.model.rnn import RNN
from textgen.model.state import State, zeros

# Dropped and looked-up weights are new tensors at every step; cuDNN says that it copies them.
warnings.filterwarnings("ignore", "RNN module weights are not part of single contiguous chunk")

_FUNCTIONS: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "LSTM": torch.lstm,
    "GRU": torch.gru,
    "RNN_TANH": torch.rnn_tanh,
    "RNN_RELU": torch.rnn_relu,
}


class FrameworkLayers(nn.RNNBase):
    """What torch's layers lack: ids as inputs, one form of state for all, recurrent dropout."""

    recurrent_dropout = 0.0

    def expect_ids(self) -> None:
        """Do nothing: cuDNN only takes weights that lie in memory row by row."""

    def begin_state(self, batch_size: int) -> State:
        """Return the state before the first step; see ``textgen.model.state``."""
        like = next(self.parameters())
        widths = [self.proj_size or self.hidden_size]
        widths += [self.hidden_size] * (self.mode == "LSTM")
        return zeros(widths, self.num_layers * (1 + self.bidirectional), batch_size, like)

    def forward(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run over a sequence; see ``RecurrentLayers.forward``, but for packed sequences."""
        if state is None:
            state = self.begin_state(len(inputs))
        weights: list[Tensor] = list(self.parameters())
        directions = 2 if self.bidirectional else 1
        each = len(weights) // (self.num_layers * directions)
        if self.training:
            dropped = (drop_units(weight, self.recurrent_dropout) for weight in weights[1::each])
            weights[1::each] = dropped
        if not inputs.is_floating_point():
            # torch's layers take no ids. So the rows of the one-hot input's weights are looked
            # up first, and the layer gets them with the identity as its weights: a quarter of
            # the work of a real one-hot input already at V = 16 H, and exactly the same result.
            first = range(0, each * directions, each)
            inputs = torch.cat([functional.embedding(inputs, weights[n].t()) for n in first], dim=2)
            identity = _identity(inputs.shape[2], inputs.dtype, inputs.device)
            for place, rows in zip(first, identity.chunk(directions), strict=True):
                weights[place] = rows
        outputs, *new_state = _FUNCTIONS[self.mode](
            inputs,
            state if len(state) > 1 else state[0],
            weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            True,
        )
        # Under autocast it comes back narrower than it went in.
        return outputs, tuple(part.to(state[0].dtype) for part in new_state)


@lru_cache(maxsize=1)
@torch.inference_mode(mode=False)  # else what is made while judging could not be learned with
def _identity(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.eye(size, dtype=dtype, device=device)


class FrameworkLSTM(FrameworkLayers, nn.LSTM):  # type: ignore[misc] # its own forward goes
    """``nn.LSTM``."""


class FrameworkGRU(FrameworkLayers, nn.GRU):  # type: ignore[misc] # its own forward goes
    """``nn.GRU``."""


class FrameworkRNN(FrameworkLayers, nn.RNN):  # type: ignore[misc] # its own forward goes
    """``nn.RNN``."""


_FRAMEWORK: dict[Cell, Callable[..., FrameworkLayers]] = {
    "lstm": FrameworkLSTM,
    "gru": FrameworkGRU,
    "rnn": FrameworkRNN,
}
_SCRATCH: dict[Cell, Callable[..., RecurrentLayers]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}

Layers = RecurrentLayers | FrameworkLayers
"""Recurrent layers of either kind, under one contract."""


def recurrent_layers(
    implementation: Implementation,
    cell: Cell,
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
) -> Layers:
    """Return the layers of that name, whose parameters are called as ``nn.LSTM``'s are."""
    sizes = (input_size, hidden_size, num_layers)
    dropout = dropout if num_layers > 1 else 0.0  # else torch warns
    if implementation == "scratch":
        return _SCRATCH[cell](*sizes, dropout=dropout, recurrent_dropout=recurrent_dropout)
    layers = _FRAMEWORK[cell](*sizes, batch_first=True, dropout=dropout)
    layers.recurrent_dropout = recurrent_dropout
    return layers


def adopt(layers: nn.RNNBase | RecurrentLayers) -> Layers:
    """Return ready layers under the contract; the parameters stay the same ones.

    Args:
        layers: torch's, or those from scratch with ``batch_first=True``.

    Raises:
        UsageError: they are layers of another kind.
    """
    if isinstance(layers, RecurrentLayers) and layers.batch_first:
        return layers
    if not isinstance(layers, nn.RNNBase):
        kind = type(layers).__name__
        raise UsageError(
            "the ready layer is a {kind}: it must be an nn.LSTM, nn.GRU or nn.RNN, or a "
            "textgen.LSTM, GRU or RNN with batch_first=True",
            kind=kind,
        )
    shape: dict[str, Any] = {"bias": layers.bias, "bidirectional": layers.bidirectional}
    if layers.mode.startswith("RNN"):
        shape["nonlinearity"] = layers.mode.removeprefix("RNN_").lower()
    elif layers.proj_size:
        shape["proj_size"] = layers.proj_size
    own = _FRAMEWORK[cell_of(layers)](
        *(layers.input_size, layers.hidden_size, layers.num_layers),
        batch_first=True,
        dropout=layers.dropout,
        **shape,
    )
    for name, parameter in layers.named_parameters():
        setattr(own, name, parameter)
    return own


def cell_of(layers: nn.RNNBase | RecurrentLayers) -> Cell:
    """Return what kind of cells layers have."""
    gates = len(layers.get_parameter("weight_hh_l0")) // layers.hidden_size
    cells: dict[int, Cell] = {4: "lstm", 3: "gru", 1: "rnn"}
    return cells[gates]
