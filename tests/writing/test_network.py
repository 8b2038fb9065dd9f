"""The step without torch is the modules' step."""

import numpy as np
import pytest
import torch
from threadpoolctl import ThreadpoolController

from tests.conftest import make_model
from textgen.model.language_model import LanguageModel
from textgen.model.network import MODELS, RNNModel
from textgen.runs.checkpoint import arrays_of
from textgen.runs.weights import shapes
from textgen.writing.ensemble import Ensemble
from textgen.writing.network import Network, State, products
from textgen.writing.one_thread import one_thread

V = 23
SHAPES = [
    {"embedding_size": 0},
    {"embedding_size": 8},
    {"embedding_size": 16},
    {"embedding_size": 8, "tie": False},
    {"embedding_size": 8, "shortcut": False},
    {"embedding_size": 8, "num_networks": 3},
]
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10}


def make_wild_model(**settings: object) -> LanguageModel:
    model = make_model(V, **settings).eval()
    for parameter in model.parameters():  # biases too
        torch.nn.init.normal_(parameter)
    return model


def assert_is_the_models_own(model: LanguageModel, dtype: torch.dtype) -> None:
    model = model.to(dtype)
    network = Ensemble(arrays_of(model), model.config.cell)
    state, expected_state = network.begin(5), None
    for ids in torch.randint(V, (6, 5)):
        with torch.no_grad():
            expected, expected_state = model.features(ids[:, None], expected_state)
            logits = model.logits(expected[:, 0])
        state = network.advance(ids.tolist(), state)
        features = network.features(ids.tolist(), state)
        np.testing.assert_allclose(features, expected[:, 0], rtol=0, atol=TOLERANCE[dtype])
        np.testing.assert_allclose(
            network.logits(features), logits, rtol=0, atol=5 * TOLERANCE[dtype]
        )
        assert_is_the_same_state(state, expected_state, model, TOLERANCE[dtype])


def assert_is_the_same_state(
    ours: State, theirs: tuple[torch.Tensor, ...], model: LanguageModel, tolerance: float
) -> None:
    """Ours is by network and layer, theirs by network and part."""
    layers = model.config.num_layers
    of_each = [ours[first : first + layers] for first in range(0, len(ours), layers)]
    parts = [np.stack(part) for own in of_each for part in zip(*own, strict=True)]
    for one, other in zip(parts, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_step_is_the_models_own(
    model: str, cell: str, num_layers: int, shape: dict[str, int], dtype: torch.dtype
) -> None:
    settings = {"model": model, "cell": cell, "num_layers": num_layers, **shape}
    assert_is_the_models_own(make_wild_model(**settings), dtype)


@pytest.mark.parametrize("settings", [{"proj_size": 7}, {"bias": False}])
def test_the_step_of_a_ready_layer_is_its_own(settings: dict[str, int]) -> None:
    layer = torch.nn.LSTM(V, 16, num_layers=2, batch_first=True, **settings)
    assert_is_the_models_own(RNNModel.from_layer(layer, V).eval(), torch.float64)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_knows_its_weights_by_the_modules_names(cell: str, shape: dict[str, int]) -> None:
    model = make_model(V, cell=cell, num_layers=2, **shape)
    expected = {name: tuple(value.shape) for name, value in model.named_parameters()}
    assert shapes(V, model.config) == expected


def test_a_state_that_went_in_stays_as_it_is() -> None:
    network = Network(arrays_of(make_wild_model()), "lstm")
    state = network.begin(2)
    after = network.advance([1, 2], state)
    kept = [part.copy() for part in after[0]]
    network.advance([3, 4], after)
    assert not any(part.any() for part in state[0])
    assert all(map(np.array_equal, kept, after[0]))


def test_a_product_does_not_depend_on_its_neighbours() -> None:
    """To the last bit: larger matrices than the tests' models have, and in several blocks."""
    draw = np.random.default_rng(0)
    for rows, columns in ((4446, 128), (1024, 256), (2047, 512)):
        matrix = draw.standard_normal((rows, columns), np.float32)
        vectors = draw.standard_normal((70, columns), np.float32)
        together = products(matrix, vectors)
        np.testing.assert_allclose(together, vectors @ matrix.T, rtol=0, atol=1e-3)
        for first, last in ((0, 1), (69, 70), (3, 5), (10, 41)):
            assert np.array_equal(products(matrix, vectors[first:last]), together[first:last])


def test_products_are_on_one_thread_while_anybody_writes() -> None:
    def threads() -> set[int]:
        found = ThreadpoolController().select(user_api="blas").info()
        return {library["num_threads"] for library in found}

    with ThreadpoolController().limit(limits=2, user_api="blas"):
        before = threads()
        outer, inner = one_thread(), one_thread()
        with outer:
            inner.__enter__()
        assert threads() == {1}  # who came first has left, and another one is inside
        inner.__exit__(None, None, None)
        assert threads() == before
