"""The LSTM from scratch computes what ``nn.LSTM`` computes, forwards and backwards."""

from itertools import product

import torch
from torch import Tensor, nn

from textgen.model.lstm import LSTM
from textgen.sanity.trial import Finding, Trial

_TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10}
_INPUT_SIZE, _HIDDEN_SIZE = 5, 16


def parity(_: Trial) -> Finding:
    """Compare outputs, states and gradients: both types, 1 and 2 layers, batches and steps of 1."""
    differences = dict.fromkeys(_TOLERANCES, 0.0)
    shapes = list(product((1, 2), (1, 4), (1, 9)))
    for dtype, (num_layers, batch_size, num_steps) in product(_TOLERANCES, shapes):
        sizes = (_INPUT_SIZE, _HIDDEN_SIZE, num_layers)
        ours = LSTM(*sizes).to(dtype)
        theirs = nn.LSTM(*sizes, batch_first=True).to(dtype)
        theirs.load_state_dict(ours.state_dict())
        inputs = torch.randn(batch_size, num_steps, _INPUT_SIZE, dtype=dtype)
        state = torch.randn(2, num_layers, batch_size, _HIDDEN_SIZE, dtype=dtype)
        pairs = zip(
            _everything(ours, inputs, state), _everything(theirs, inputs, state), strict=True
        )
        found = max(float((a - b).detach().abs().max()) for a, b in pairs)
        differences[dtype] = max(differences[dtype], found)
    names = {dtype: str(dtype).removeprefix("torch.") for dtype in differences}
    return Finding(
        asked="to " + " and ".join(f"{tolerance:.0e}" for tolerance in _TOLERANCES.values()),
        result="to " + " and ".join(f"{found:.1e}" for found in differences.values()),
        passed=all(found <= _TOLERANCES[dtype] for dtype, found in differences.items()),
        figures={names[dtype]: found for dtype, found in differences.items()},
    )


def _everything(layers: nn.Module, inputs: Tensor, state: Tensor) -> list[Tensor]:
    """Return outputs, new state, and the gradients of inputs, state and weights."""
    inputs, state = inputs.clone().requires_grad_(), state.clone().requires_grad_()
    outputs, (hidden, memory) = layers(inputs, (state[0], state[1]))
    asked = [inputs, state, *layers.parameters()]
    gradients = torch.autograd.grad(outputs.square().sum() + (hidden * memory).sum(), asked)
    return [outputs, hidden, memory, *gradients]
