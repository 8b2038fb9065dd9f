"""A step without the modules is the modules' step."""

import pytest
import torch

from tests.conftest import make_model
from textgen.model.language_model import MODELS, LanguageModel
from textgen.model.single_step import LSTMStep, single_step

V = 23


def make_exact_model(**settings: object) -> LanguageModel:
    model = make_model(V, **settings).double().eval()
    for parameter in model.parameters():  # biases too
        torch.nn.init.normal_(parameter)
    return model


def is_the_models_own(model: LanguageModel) -> bool:
    step = single_step(model)
    ids = torch.randint(V, (5, 6))
    state = expected_state = tuple(torch.randn_like(part) for part in model.begin_state(5))
    with torch.no_grad():
        for column in ids.t():
            logits, features, state = step(column, state)
            expected, expected_state = model.features(column[:, None], expected_state)
            torch.testing.assert_close(features, expected[:, 0], rtol=0, atol=1e-10)
            torch.testing.assert_close(logits, model.output(expected[:, 0]), rtol=0, atol=1e-10)
            torch.testing.assert_close(state, expected_state, rtol=0, atol=1e-10)
    return isinstance(step, LSTMStep)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize(
    "shape",
    [
        {"embedding_size": 0},
        {"embedding_size": 8},
        {"embedding_size": 16},
        {"embedding_size": 8, "tie": False},
        {"embedding_size": 8, "shortcut": False},
    ],
)
def test_an_lstms_step_is_the_models_own(
    model: str, num_layers: int, shape: dict[str, int]
) -> None:
    assert is_the_models_own(make_exact_model(model=model, num_layers=num_layers, **shape))


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_other_cells_go_through_their_modules(cell: str) -> None:
    assert not is_the_models_own(make_exact_model(cell=cell))


def test_a_table_that_would_be_too_large_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.model.single_step._LARGEST_TABLE", V * 4 * 16 - 1)
    assert not is_the_models_own(make_exact_model())


def test_a_state_that_went_in_stays_as_it_is() -> None:
    model = make_exact_model()
    step, state = single_step(model), model.begin_state(2)
    _, _, after = step(torch.tensor([1, 2]), state)
    kept = [part.clone() for part in after]
    step(torch.tensor([3, 4]), after)
    assert all(not part.any() for part in state)
    assert all(map(torch.equal, kept, after))
