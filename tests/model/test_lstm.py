"""The equations as code, the faster way, torch's own layers and the step for writing are one."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from textgen.config import ModelConfig
from textgen.model.layers import drop_units
from textgen.model.lstm import LSTM, lstm_step, plain_recurrence
from textgen.model.network import RNNModelScratch
from textgen.model.recurrence import Recurrence
from textgen.model.state import State
from textgen.runs.checkpoint import arrays_of
from textgen.writing.network import Network
from textgen.writing.network import State as NumpyState

I, H, B, T = 5, 6, 3, 7  # noqa: E741 - as in lstm.py
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}

Everything = list[Tensor]
"""Outputs (B, T, H), hidden state and memory (L, B, H), and the gradients of inputs, state and
weights where there are any."""


def by_the_equations(layers: LSTM, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Return what the layers compute, with nothing but ``lstm_step``."""
    hiddens, memories = [], []
    for layer in range(layers.num_layers):
        w_x, w_h, b, more_b = (
            layers.get_parameter(f"{name}_l{layer}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        h, c = state[0][layer], state[1][layer]
        outputs = []
        for x in inputs.unbind(1):
            h, c = lstm_step(x @ w_x.t() + b + more_b, h, c, w_h)
            outputs.append(h)
        inputs = torch.stack(outputs, dim=1)
        hiddens.append(h)
        memories.append(c)
    return inputs, (torch.stack(hiddens), torch.stack(memories))


def with_gradients(
    run: Callable[[Tensor, State], tuple[Tensor, State]],
    weights: list[nn.Parameter],
    inputs: Tensor,
    state: Tensor,
) -> Everything:
    inputs, state = inputs.clone().requires_grad_(), state.clone().requires_grad_()
    outputs, (hidden, memory) = run(inputs, (state[0], state[1]))
    loss = outputs.square().sum() + (hidden * memory).sum()
    return [outputs, hidden, memory, *torch.autograd.grad(loss, [inputs, state, *weights])]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("way", ["plain", "fast", "nn.LSTM", "step for writing"])
def test_every_way_computes_the_equations(dtype: torch.dtype, num_layers: int, way: str) -> None:
    torch.manual_seed(0)
    ours = LSTM(I, H, num_layers, fast=way == "fast").to(dtype)
    theirs = nn.LSTM(I, H, num_layers, batch_first=True).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    inputs, state = torch.randn(B, T, I, dtype=dtype), torch.randn(2, num_layers, B, H, dtype=dtype)
    weights = list(ours.parameters())
    expected = with_gradients(lambda x, s: by_the_equations(ours, x, s), weights, inputs, state)
    if way == "step for writing":
        found = by_writing(ours, inputs, (state[0], state[1]))
    elif way == "nn.LSTM":
        found = with_gradients(theirs, list(theirs.parameters()), inputs, state)
    else:
        found = with_gradients(ours, weights, inputs, state)
    for one, other in zip(found, expected, strict=way != "step for writing"):
        torch.testing.assert_close(one, other, rtol=0, atol=TOLERANCE[dtype])


def by_writing(layers: LSTM, inputs: Tensor, state: State) -> Everything:
    """Let the step for writing read the inputs as the embeddings of a model's tokens."""
    config = ModelConfig(
        embedding_size=I,
        hidden_size=H,
        num_layers=layers.num_layers,
        tie=False,
        shortcut=False,
    )
    model = RNNModelScratch(B * T, config).to(inputs.dtype).eval()
    model.rnn.load_state_dict(layers.state_dict())
    with torch.no_grad():  # the output is the hidden state itself
        assert model.embedding is not None
        model.embedding.weight.copy_(inputs.flatten(0, 1))
        model.output.weight.zero_()[:H] = torch.eye(H)
        model.output.bias.zero_()
    network = Network(arrays_of(model), "lstm")
    layers_state: NumpyState = tuple((h.numpy(), c.numpy()) for h, c in zip(*state, strict=True))
    outputs = []
    for ids in np.arange(B * T).reshape(B, T).T.tolist():
        layers_state = network.advance(ids, layers_state)
        logits = network.logits(network.features(ids, layers_state))
        outputs.append(torch.from_numpy(logits[:, :H]))
    hidden, memory = (np.stack(parts) for parts in zip(*layers_state, strict=True))
    return [torch.stack(outputs, dim=1), torch.from_numpy(hidden), torch.from_numpy(memory)]


@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_the_gradient_by_hand_is_the_difference_quotient(num_steps: int) -> None:
    draw = torch.Generator().manual_seed(0)
    shapes = (num_steps, 2, 12), (2, 3), (2, 3), (12, 3)
    inputs = [torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes]
    for tensor in inputs:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(Recurrence.apply, inputs)
    run: Callable[..., tuple[Tensor, ...]] = Recurrence.apply
    for fast, plain in zip(run(*inputs), plain_recurrence(*inputs), strict=True):
        torch.testing.assert_close(fast, plain)


def test_names_and_shapes_are_torchs() -> None:
    ours, theirs = LSTM(I, H, num_layers=2), nn.LSTM(I, H, num_layers=2, batch_first=True)
    assert [(n, p.shape) for n, p in ours.named_parameters()] == [
        (n, p.shape) for n, p in theirs.named_parameters()
    ]


def test_recurrent_dropout_silences_units_and_lets_the_rest_speak_up() -> None:
    torch.manual_seed(0)
    weight = torch.randn(8, 200)
    dropped = drop_units(weight, 0.25)
    silent = (dropped == 0).all(dim=0)
    assert 20 < silent.sum() < 80
    torch.testing.assert_close(dropped[:, ~silent], weight[:, ~silent] / 0.75)
    assert drop_units(weight, 0.0) is weight
