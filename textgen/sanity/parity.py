"""The LSTM from scratch, plain and fast, computes what ``nn.LSTM`` does, forwards and backwards."""

from itertools import product

import torch
from torch import Tensor, nn

from textgen.model.lstm import LSTM
from textgen.sanity.trial import Finding, Trial

_TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10}
_INPUT_SIZE, _HIDDEN_SIZE = 5, 16
_WAYS = {"plain": "lstm_step, the equations", "fast": "Recurrence, by hand"}


def parity(_: Trial) -> Finding:
    """Compare outputs, states and gradients: both types, 1 and 2 layers, batches and steps of 1."""
    differences = dict.fromkeys(product(_WAYS, _TOLERANCES), 0.0)
    shapes = product(_TOLERANCES, (1, 2), (1, 4), (1, 9))
    for dtype, num_layers, batch_size, num_steps in shapes:
        sizes = (_INPUT_SIZE, _HIDDEN_SIZE, num_layers)
        theirs = nn.LSTM(*sizes, batch_first=True).to(dtype)
        inputs = torch.randn(batch_size, num_steps, _INPUT_SIZE, dtype=dtype)
        state = torch.randn(2, num_layers, batch_size, _HIDDEN_SIZE, dtype=dtype)
        expected = _everything(theirs, inputs, state)
        for way in _WAYS:
            ours = LSTM(*sizes, fast=way == "fast").to(dtype)
            ours.load_state_dict(theirs.state_dict())
            pairs = zip(_everything(ours, inputs, state), expected, strict=True)
            found = max(float((a - b).detach().abs().max()) for a, b in pairs)
            differences[way, dtype] = max(differences[way, dtype], found)
    names = {dtype: str(dtype).removeprefix("torch.") for dtype in _TOLERANCES}
    highest = {
        dtype: max(found for (_, other), found in differences.items() if other == dtype)
        for dtype in _TOLERANCES
    }
    return Finding(
        asked="to " + " and ".join(f"{tolerance:.0e}" for tolerance in _TOLERANCES.values()),
        result="to " + " and ".join(f"{found:.1e}" for found in highest.values()),
        passed=all(found <= _TOLERANCES[dtype] for dtype, found in highest.items()),
        figures={f"{way} {names[dtype]}": found for (way, dtype), found in differences.items()},
        details=tuple(
            f"{way:6}{words:26}"
            + "   ".join(f"{name} {differences[way, dtype]:.1e}" for dtype, name in names.items())
            for way, words in _WAYS.items()
        ),
    )


def _everything(layers: nn.Module, inputs: Tensor, state: Tensor) -> list[Tensor]:
    """Return outputs, new state, and the gradients of inputs, state and weights."""
    inputs, state = inputs.clone().requires_grad_(), state.clone().requires_grad_()
    outputs, (hidden, memory) = layers(inputs, (state[0], state[1]))
    asked = [inputs, state, *layers.parameters()]
    gradients = torch.autograd.grad(outputs.square().sum() + (hidden * memory).sum(), asked)
    return [outputs, hidden, memory, *gradients]
