from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from textgen.config import ModelConfig
from textgen.model.network import Network, RNNModel, RNNModelScratch

V = 50
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def make_pair(dtype: torch.dtype, **shape: object) -> tuple[RNNModelScratch, RNNModel]:
    """Return both models with the same weights."""
    config = ModelConfig(dropout=0.0, **{"hidden_size": 12, **shape})  # type: ignore[arg-type]
    torch.manual_seed(0)
    scratch, framework = RNNModelScratch(V, config).to(dtype), RNNModel(V, config).to(dtype)
    framework.load_state_dict(scratch.state_dict())
    return scratch, framework


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("embedding_size", [0, 8, 12])
@pytest.mark.parametrize("shape", [(3, 7), (1, 7), (3, 1), (1, 1)])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_two_models_are_the_same(
    dtype: torch.dtype, num_layers: int, embedding_size: int, shape: tuple[int, int], cell: str
) -> None:
    pair = make_pair(dtype, num_layers=num_layers, embedding_size=embedding_size, cell=cell)
    draw = torch.Generator().manual_seed(1)
    x, y, before = (torch.randint(V, shape, generator=draw) for _ in range(3))
    results: list[list[Tensor]] = []
    for model in pair:
        _, state = model(before)
        logits, new_state = model(x, state)
        loss, _ = model.loss(x, y, state)
        loss.backward()
        gradients = [parameter.grad for parameter in model.parameters()]
        assert all(gradient is not None for gradient in gradients)
        results.append([logits, loss, *new_state, *(g for g in gradients if g is not None)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE[dtype])


def test_both_models_draw_the_same_weights_from_a_seed() -> None:
    weights = []
    for model in (RNNModelScratch, RNNModel):
        torch.manual_seed(3)
        weights.append(list(model(V, ModelConfig(hidden_size=12)).parameters()))
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


MODELS: list[Callable[[ModelConfig], Network]] = [
    lambda config: RNNModelScratch(V, config),
    lambda config: RNNModel(V, config),
]


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("embedding_size", [0, 8])
def test_a_text_read_in_two_pieces_is_the_text_read_in_one(
    make: Callable[[ModelConfig], Network], embedding_size: int
) -> None:
    model = make(ModelConfig(embedding_size=embedding_size, hidden_size=12, num_layers=2)).eval()
    tokens = torch.randint(V, (2, 9))
    whole, end = model(tokens)
    first, state = model(tokens[:, :4])
    second, state = model(tokens[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(state, end)
    torch.testing.assert_close(model(tokens, model.begin_state(2)), (whole, end))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_one_hot_by_looking_up_is_one_hot(cell: str) -> None:
    config = ModelConfig(cell=cell, embedding_size=0, hidden_size=12, num_layers=2, dropout=0.0)  # type: ignore[arg-type]
    model = RNNModel(V, config)
    tokens = torch.randint(V, (3, 5))
    hidden, _ = model.rnn(functional.one_hot(tokens, V).float())
    torch.testing.assert_close(model(tokens)[0], model.output(hidden))
    assert len(model.begin_state(3)) == (2 if cell == "lstm" else 1)


@pytest.mark.parametrize("make", MODELS)
def test_shapes_tying_and_initial_weights(make: Callable[[ModelConfig], Network]) -> None:
    tied = make(ModelConfig(embedding_size=8, hidden_size=12))
    assert tied.embedding is not None
    assert tied.output.weight is tied.embedding.weight
    logits, state = tied(torch.zeros(3, 4, dtype=torch.int32))
    assert logits.shape == (3, 4, V)
    assert all(part.shape == (1, 3, 12) for part in state)
    assert make(ModelConfig(hidden_size=512)).output.weight.shape == (V, 192)
    untied = make(ModelConfig(embedding_size=8, hidden_size=12, tie=False))
    assert untied.output.weight.shape == (V, 12)
    classic = make(ModelConfig(embedding_size=0, hidden_size=64, init_std=0.01))
    for name, parameter in classic.named_parameters():
        if parameter.dim() == 1:
            assert parameter.abs().max() == 0, name
        else:
            assert abs(parameter.mean()) < 1e-3, name
            assert abs(parameter.std() - 0.01) < 1e-3, name
    assert classic.get_parameter("rnn.weight_ih_l0").shape == (256, V)


@pytest.mark.parametrize("make", MODELS)
def test_dropout_works_in_training_only(make: Callable[[ModelConfig], Network]) -> None:
    model = make(ModelConfig(embedding_size=8, hidden_size=12, num_layers=2, dropout=0.5))
    tokens = torch.randint(V, (3, 5))
    assert not torch.equal(model(tokens)[0], model(tokens)[0])
    model.eval()
    assert torch.equal(model(tokens)[0], model(tokens)[0])


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("embedding_size", [0, 8])
def test_both_models_drop_the_same_units_in_training_only(
    embedding_size: int, num_layers: int
) -> None:
    shape = {"embedding_size": embedding_size, "num_layers": num_layers}
    pair = make_pair(torch.float64, recurrent_dropout=0.5, **shape)
    plain, _ = make_pair(torch.float64, **shape)
    tokens = torch.randint(V, (3, 5))
    losses = []
    for model in pair:
        torch.manual_seed(1)
        losses.append(model.loss(tokens, tokens)[0])
    torch.testing.assert_close(*losses)
    assert losses[0] != plain.loss(tokens, tokens)[0]
    for model in pair:
        model.eval()
        torch.testing.assert_close(model(tokens)[0], plain(tokens)[0])
