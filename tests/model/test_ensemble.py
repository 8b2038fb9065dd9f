"""Several networks as one model: each learns as if it were alone, and they speak together."""

import pytest
import torch

from tests.conftest import make_model
from textgen.model.ensemble import Ensemble
from textgen.model.language_model import LanguageModel
from textgen.model.network import Network

V, K = 50, 3
TOKENS = torch.randint(V, (4, 7), generator=torch.Generator().manual_seed(0))


def make_ensemble(**settings: object) -> tuple[LanguageModel, list[Network]]:
    torch.manual_seed(0)
    model = make_model(V, num_networks=K, **{"dropout": 0.0, **settings})
    assert isinstance(model, Ensemble)
    return model, [network for network in model.networks if isinstance(network, Network)]


@pytest.mark.parametrize("model", ["nn", "scratch"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_they_say_the_mean_of_what_each_says(model: str, cell: str) -> None:
    together, networks = make_ensemble(model=model, cell=cell)
    assert len(networks) == K
    logits, state = together(TOKENS)
    each = [network(TOKENS) for network in networks]
    torch.testing.assert_close(logits, sum(logits for logits, _ in each) / K)
    torch.testing.assert_close(state, tuple(part for _, state in each for part in state))
    features, _ = together.features(TOKENS)
    assert features.shape == (4, 7, together.num_features)


def test_no_two_are_the_same() -> None:
    _, networks = make_ensemble()
    one, other, _ = (network.get_parameter("rnn.weight_ih_l0") for network in networks)
    assert not torch.equal(one, other)


def test_a_text_read_in_two_pieces_is_the_text_read_in_one() -> None:
    model, _ = make_ensemble(num_layers=2)
    whole, end = model(TOKENS)
    first, state = model(TOKENS[:, :4])
    second, state = model(TOKENS[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(state, end)
    torch.testing.assert_close(model(TOKENS, model.begin_state(4)), (whole, end))


def test_each_learns_as_if_it_were_alone() -> None:
    model, networks = make_ensemble()
    model.loss(TOKENS, TOKENS)[0].backward()
    for network in networks:
        parameters = list(network.parameters())
        alone = torch.autograd.grad(network.loss(TOKENS, TOKENS)[0], parameters)
        for parameter, gradient in zip(parameters, alone, strict=True):
            torch.testing.assert_close(parameter.grad, gradient / K)


def test_all_take_the_same_rows_of_what_is_dropped() -> None:
    """As ranks do, which share a batch."""
    model, networks = make_ensemble(dropout=0.5)
    found = []
    for among in (None, (4, slice(1, None, 2))):
        model.take_rows(among)
        assert all(network.dropout.among == among for network in networks)
        torch.manual_seed(1)
        found.append(model(TOKENS if among is None else TOKENS[among[1]])[0])
    torch.testing.assert_close(found[0][1::2], found[1])


def test_they_begin_with_the_frequencies_of_a_text() -> None:
    model, networks = make_ensemble()
    model.expect(torch.arange(V))
    biases = [network.output.bias for network in networks]
    assert all(torch.equal(bias, biases[0]) for bias in biases)
    assert (biases[0].diff() > 0).all()
