"""The layers from scratch compute what torch's do, forwards and backwards.

The LSTM is tried in both its ways: plain, by the equations, and fast, with its gradient by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn

from textgen.language import Message
from textgen.model.framework import adopt
from textgen.model.gru import GRU
from textgen.model.layers import RecurrentLayers
from textgen.model.lstm import LSTM
from textgen.model.rnn import RNN
from textgen.sanity.trial import Finding, Trial

_TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10}
_INPUT_SIZE, _HIDDEN_SIZE = 5, 16


@dataclass(frozen=True)
class _Pair:
    """Layers from scratch, how they go through the steps, and torch's."""

    ours: Callable[..., RecurrentLayers]
    way: str
    theirs: Callable[..., nn.RNNBase]


_PAIRS = {
    "LSTM, plain": _Pair(lambda *sizes: LSTM(*sizes, fast=False), "lstm_step", nn.LSTM),
    "LSTM, fast": _Pair(LSTM, "Recurrence", nn.LSTM),
    "GRU": _Pair(GRU, "gru_step", nn.GRU),
    "RNN": _Pair(RNN, "rnn_step", nn.RNN),
}


def parity(_: Trial) -> Finding:
    """Compare outputs, states and gradients: both types, 1 and 2 layers, batches and steps of 1."""
    differences = {
        (name, dtype): max(
            _difference(pair, dtype, *sizes) for sizes in product((1, 2), (1, 4), (1, 9))
        )
        for (name, pair), dtype in product(_PAIRS.items(), _TOLERANCES)
    }
    names = {dtype: str(dtype).removeprefix("torch.") for dtype in _TOLERANCES}
    highest = {
        dtype: max(found for (_, other), found in differences.items() if other == dtype)
        for dtype in _TOLERANCES
    }
    (one, other), (found_one, found_other) = _TOLERANCES.values(), highest.values()
    return Finding(
        aim=Message("to {one:.0e} and {other:.0e}", one=one, other=other),
        outcome=Message("to {one:.1e} and {other:.1e}", one=found_one, other=found_other),
        passed=all(found <= _TOLERANCES[dtype] for dtype, found in highest.items()),
        figures={f"{name} {names[dtype]}": found for (name, dtype), found in differences.items()},
        details=tuple(
            f"{name:13}{pair.way:12}"
            + "   ".join(f"{kind} {differences[name, dtype]:.1e}" for dtype, kind in names.items())
            for name, pair in _PAIRS.items()
        ),
    )


def _difference(
    pair: _Pair, dtype: torch.dtype, num_layers: int, batch_size: int, num_steps: int
) -> float:
    """Return the largest difference in outputs, new state and gradients."""
    sizes = (_INPUT_SIZE, _HIDDEN_SIZE, num_layers)
    ours = pair.ours(*sizes).to(dtype)
    theirs = adopt(pair.theirs(*sizes)).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    inputs = torch.randn(batch_size, num_steps, _INPUT_SIZE, dtype=dtype)
    state = [torch.randn_like(part) for part in ours.begin_state(batch_size)]
    found = (_everything(layers, inputs, state) for layers in (ours, theirs))
    return max(float((a - b).detach().abs().max()) for a, b in zip(*found, strict=True))


def _everything(layers: nn.Module, inputs: Tensor, state: list[Tensor]) -> list[Tensor]:
    """Return outputs, new state, and the gradients of inputs, state and weights."""
    given = [tensor.clone().requires_grad_() for tensor in (inputs, *state)]
    outputs, after = layers(given[0], tuple(given[1:]))
    loss = outputs.square().sum() + sum((1 + part).square().sum() for part in after)
    gradients = torch.autograd.grad(loss, [*given, *layers.parameters()])
    return [outputs, *after, *gradients]
