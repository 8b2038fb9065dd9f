"""LSTM, GRU and RNN from scratch are torch's, with all that torch's can be told."""

from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from textgen.errors import UsageError
from textgen.model.framework import adopt
from textgen.model.gru import GRU
from textgen.model.layers import RecurrentLayers
from textgen.model.lstm import LSTM
from textgen.model.network import Network, RNNModel, RNNModelScratch
from textgen.model.rnn import RNN

I, H, B, T = 5, 6, 4, 7  # noqa: E741 - as in layers.py
KINDS: dict[type[RecurrentLayers], type[nn.RNNBase]] = {LSTM: nn.LSTM, GRU: nn.GRU, RNN: nn.RNN}
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
SHAPES = [
    {"num_layers": layers, "bidirectional": both, "bias": bias, "batch_first": first}
    for layers, both, bias, first in product((1, 2), (False, True), (True, False), (True, False))
]


def make_pair(
    kind: type[RecurrentLayers], dtype: torch.dtype, **shape: int
) -> tuple[RecurrentLayers, nn.RNNBase]:
    torch.manual_seed(0)
    ours = kind(I, H, **shape).to(dtype)  # type: ignore[arg-type]
    theirs = KINDS[kind](I, H, **shape).to(dtype)  # type: ignore[arg-type]
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def everything(layers: nn.Module, inputs: Tensor | PackedSequence, state: list[Tensor]) -> object:
    """Return outputs, new state, and the gradients of inputs, state and weights."""
    given = inputs.data if isinstance(inputs, PackedSequence) else inputs
    leaves = [tensor.detach().clone().requires_grad_() for tensor in (given, *state)]
    read = inputs._replace(data=leaves[0]) if isinstance(inputs, PackedSequence) else leaves[0]
    before = tuple(leaves[1:]) if isinstance(layers, RecurrentLayers | nn.LSTM) else leaves[1]
    outputs, after = layers(read, before)
    ends = [after] if isinstance(after, Tensor) else list(after)
    values = outputs.data if isinstance(outputs, PackedSequence) else outputs
    loss = values.square().sum() + sum(end.exp().sum() for end in ends)
    gradients = torch.autograd.grad(loss, [*leaves, *layers.parameters()])
    order = [outputs.sorted_indices] if isinstance(outputs, PackedSequence) else []
    return [values, *order, *ends, *gradients]


def make_state(kind: type[RecurrentLayers], dtype: torch.dtype, **shape: int) -> list[Tensor]:
    rows = shape.get("num_layers", 1) * (1 + shape.get("bidirectional", False))
    first = torch.randn(rows, B, shape.get("proj_size", 0) or H, dtype=dtype)
    return [first, torch.randn(rows, B, H, dtype=dtype)][: 2 if kind is LSTM else 1]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_they_compute_what_torchs_do(
    kind: type[RecurrentLayers], shape: dict[str, int], dtype: torch.dtype
) -> None:
    pair = make_pair(kind, dtype, **shape)
    names = [[(name, p.shape) for name, p in layers.named_parameters()] for layers in pair]
    assert names[0] == names[1]
    inputs = torch.randn(*((B, T) if shape["batch_first"] else (T, B)), I, dtype=dtype)
    state = make_state(kind, dtype, **shape)
    found, expected = (everything(layers, inputs, state) for layers in pair)
    # Gradients are sums over all steps, so they are compared by their size, too.
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=2 * TOLERANCE[dtype])
    begun = pair[0](inputs, pair[0].begin_state(B))
    torch.testing.assert_close(pair[0](inputs), begun)
    torch.testing.assert_close(begun[0], pair[1](inputs)[0], rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("shape", SHAPES[::2], ids=str)
def test_a_projection_is_torchs(shape: dict[str, int]) -> None:
    shape = {**shape, "proj_size": 3}
    inputs = torch.randn(B, T, I, dtype=torch.float64)
    state = make_state(LSTM, torch.float64, **shape)
    pair = make_pair(LSTM, torch.float64, **shape)
    found, expected = (everything(layers, inputs, state) for layers in pair)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(pair[0](inputs), pair[0](inputs, pair[0].begin_state(B)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [*SHAPES[::2], {"proj_size": 2, "num_layers": 2}], ids=str)
@pytest.mark.parametrize("lengths", [[7, 5, 5, 1], [2, 7, 1, 5]])
def test_packed_sequences_are_torchs(
    kind: type[RecurrentLayers], shape: dict[str, int], lengths: list[int]
) -> None:
    if "proj_size" in shape and kind is not LSTM:
        with pytest.raises(ValueError, match="proj_size is 2"):
            kind(I, H, **shape)  # type: ignore[arg-type]
        return
    padded = torch.randn(T, B, I, dtype=torch.float64)
    falling = sorted(lengths, reverse=True) == lengths
    packed = pack_padded_sequence(padded, torch.tensor(lengths), enforce_sorted=falling)
    state = make_state(kind, torch.float64, **shape)
    found, expected = (
        everything(p, packed, state) for p in make_pair(kind, torch.float64, **shape)
    )
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES[::4], ids=str)
def test_ids_are_one_hot_vectors(kind: type[RecurrentLayers], shape: dict[str, int]) -> None:
    shape = {**shape, "batch_first": True}
    ours, theirs = make_pair(kind, torch.float64, **shape)
    ids = torch.randint(I, (B, T))
    one_hot = functional.one_hot(ids, I).double()
    expected, _ = theirs(one_hot)
    for layers in (ours, adopt(theirs)):
        torch.testing.assert_close(layers(ids)[0], expected)
        torch.testing.assert_close(layers(one_hot)[0], expected)


def test_a_projection_must_be_smaller() -> None:
    with pytest.raises(ValueError, match="below hidden_size, which is 6"):
        LSTM(I, H, proj_size=H)


torchs_own = "ignore:LSTM with projections is not supported with oneDNN"

MODELS: list[type[Network]] = [RNNModel, RNNModelScratch]
V = 11


@pytest.mark.filterwarnings(torchs_own)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", [*KINDS, *KINDS.values()])
@pytest.mark.parametrize("shape", [{}, {"num_layers": 2, "bias": False}, {"proj_size": 3}], ids=str)
def test_a_model_is_made_of_a_ready_layer(
    model: type[Network],
    kind: type[RecurrentLayers] | type[nn.RNNBase],
    shape: dict[str, int],
) -> None:
    if "proj_size" in shape and kind not in (LSTM, nn.LSTM):
        return
    layer = kind(V, H, **shape)  # type: ignore[arg-type]
    before = [parameter.clone() for parameter in layer.parameters()]
    network = model.from_layer(layer, V)
    assert all(map(torch.equal, before, layer.parameters()))
    ids = torch.randint(V, (B, T))
    logits, state = network(ids, network.begin_state(B))
    assert logits.shape == (B, T, V)
    one_hot = functional.one_hot(ids, V).float()
    hidden, _ = layer(one_hot if isinstance(layer, RecurrentLayers) else one_hot.transpose(0, 1))
    hidden = hidden if isinstance(layer, RecurrentLayers) else hidden.transpose(0, 1)
    torch.testing.assert_close(logits, network.output(hidden))
    loss, _ = network.loss(ids, ids, state)
    loss.backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())  # it is what learns


@pytest.mark.parametrize("model", MODELS)
def test_a_layer_in_both_directions_reads_but_does_not_predict(model: type[Network]) -> None:
    ours, theirs = LSTM(V, H, bidirectional=True), nn.LSTM(V, H, bidirectional=True)
    theirs.load_state_dict(ours.state_dict())
    networks = [model.from_layer(layer, V) for layer in (ours, theirs)]
    networks[1].output.load_state_dict(networks[0].output.state_dict())
    ids = torch.randint(V, (B, T))
    (logits, state), expected = (network(ids) for network in networks)
    torch.testing.assert_close((logits, state), expected)
    assert logits.shape == (B, T, V)
    assert state[0].shape == (2, B, H)
    with pytest.raises(UsageError, match="a bidirectional layer has read what comes next"):
        networks[0].loss(ids, ids)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (nn.LSTM(7, H), "input_size 7: it must be the vocabulary's 11"),
        (LSTM(V, H, batch_first=False), "the ready layer is a LSTM: it must be"),
        (nn.Linear(V, H), "the ready layer is a Linear"),
    ],
)
def test_a_layer_that_does_not_fit_is_refused(layer: nn.Module, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        RNNModel.from_layer(layer, V)  # type: ignore[arg-type]
