"""The product: a distribution at every place, judged the fast way as the plain one."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.counts.plain import dense, make_experts, make_ids
from textgen.counts.experts import Experts
from textgen.counts.product import Product
from textgen.counts.ratios import Ratios

R, V, E = 40, 6, 5
Case = tuple[Product, Tensor, Tensor, Experts, Tensor]


@pytest.fixture
def case() -> Case:
    """Return a gate of random weights, and all that it is asked about R places."""
    torch.manual_seed(0)
    learned, experts = make_experts(R, V)
    product = Product(E, learned.form).double()
    for parameter in product.parameters():
        torch.nn.init.normal_(parameter)
    draw = partial(torch.randn, dtype=torch.float64)
    return product, draw(R, E), 3 * draw(R, V), experts, torch.randint(V, (R,))


def test_the_probabilities_sum_to_one(case: Case) -> None:
    product, features, logits, experts, _ = case
    told = product(features, logits, experts)
    assert told.shape == (R, V)
    torch.testing.assert_close(told.exp().sum(1), torch.ones(R).double(), rtol=0, atol=1e-9)


def test_the_formulas(case: Case) -> None:
    product, features, logits, experts, _ = case
    phi, log_u = torch.from_numpy(dense(experts)), torch.from_numpy(experts.log_frequencies)
    network, k = logits.log_softmax(dim=1), product.parts[0].stop
    known = [torch.from_numpy(experts.inputs), network.amax(1, keepdim=True)]
    known.append(-(network.exp() * network).sum(1, keepdim=True))
    units = torch.tanh(product.features(features) + product.inputs(0.25 * torch.cat(known, 1)))
    a, g = product.out(units).tensor_split([2 + phi.shape[1]], dim=1)
    exponent = a[:, :1] * logits + a[:, 1:2] * log_u + torch.einsum("rj,rjv->rv", a[:, 2:], phi)
    alone = [phi[:, :k].sum(1), phi[:, k : 2 * k].sum(1), *phi[:, -3:].unbind(1)]
    parts = [exponent.softmax(1), network.exp(), *((log_u + one).exp() for one in alone)]
    expected = sum(g.softmax(1)[:, i, None] * part for i, part in enumerate(parts))
    told = product(features, logits, experts).exp()
    torch.testing.assert_close(told, expected, rtol=0, atol=1e-9)


def test_what_came_is_judged_as_among_all(case: Case) -> None:
    product, features, logits, experts, targets = case
    told, parts = product.judge(features, logits, experts, targets)
    of_all = product(features, logits, experts).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(told, of_all, rtol=0, atol=1e-9)
    assert parts.shape == (R, 7)
    of_network = logits.log_softmax(1).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(parts[:, 1], of_network, rtol=0, atol=1e-9)
    assert (parts.amin(1) <= told).all()
    assert (told <= parts.amax(1)).all()


def test_the_gradient_is_the_plain_ones(case: Case) -> None:
    product, features, logits, experts, targets = case
    parameters = list(product.parameters())

    def gradients(told: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(told @ torch.linspace(1, 2, R).double(), parameters)

    fast = gradients(product.judge(features, logits, experts, targets)[0])
    plain = gradients(product(features, logits, experts).gather(1, targets[:, None])[:, 0])
    torch.testing.assert_close(fast, plain, rtol=1e-9, atol=1e-9)


def test_nothing_but_the_gate_is_changed(case: Case) -> None:
    product, features, logits, experts, targets = case
    before = features.clone(), logits.clone()
    told, parts = product.judge(features, logits, experts, targets)
    assert not parts.requires_grad
    told.sum().backward()
    product(features, logits, experts)
    assert all(parameter.grad is not None for parameter in product.parameters())
    assert features.grad is None is logits.grad
    assert all(map(torch.equal, before, (features, logits)))


def test_it_begins_with_the_same_everywhere_and_the_network_foremost(case: Case) -> None:
    _, features, logits, experts, _ = case
    form = make_experts(R, V)[0].form
    product = Product(E, form).double()
    phi, log_u = torch.from_numpy(dense(experts)), torch.from_numpy(experts.log_frequencies)
    trusted = [0.25] * form.longest + [0.1] * form.longest + [0.05] * form.skips + [0.3] * 3
    exponent = 0.7 * logits + 0.1 * log_u + torch.einsum("j,rjv->rv", phi.new_tensor(trusted), phi)
    told, expected = product(features, logits, experts).exp(), exponent.softmax(1)
    assert (told > 0.75 * expected).all()
    assert ((told - expected).abs() < 0.25).all()


def by_hand(ratios: Ratios, phi: Tensor, weights: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    sums, chances = torch.randn(R, V).double(), torch.rand(R, V).double()
    targets = torch.randint(V, (R,))
    return {
        "add_to": (
            ratios.add_to(sums.clone(), weights),
            sums + torch.einsum("rj,rjv->rv", weights, phi),
        ),
        "expected": (ratios.expected(chances), torch.einsum("rv,rjv->rj", chances, phi)),
        "of": (ratios.of(targets), phi[torch.arange(R), :, targets]),
    }


def test_ratios_are_the_products_of_a_dense_tensor() -> None:
    _, experts = make_experts(R, V)
    like = torch.zeros(1).double()
    phi = torch.from_numpy(dense(experts) - experts.constants[:, :, None])
    weights = torch.randn(R, phi.shape[1]).double()
    for found, expected in by_hand(Ratios(experts, like), phi, weights).values():
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_ratios_where_nothing_ever_followed() -> None:
    learned, _ = make_experts(R, V)
    reading = learned.reading(make_ids(3, V), make_ids(0, V))
    seen = reading.seen(np.zeros(R, int), hidden=True)  # before the first token
    experts = learned.consult(seen, np.float64)
    assert not any(len(expert.keys) for expert in experts.histories)
    phi = torch.zeros(R, experts.constants.shape[1], V).double()
    weights = torch.randn(phi.shape[:2]).double()
    ratios = Ratios(experts, weights)
    for found, expected in by_hand(ratios, phi, weights).values():
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_the_logits_learn_what_the_product_is_wrong_about(case: Case) -> None:
    """By the gradient of all but the gate, which looks at them, and the network's small share."""
    product, features, logits, experts, targets = case
    logits.requires_grad_()
    told, parts = product.judge(features, logits, experts, targets)
    (fast,) = torch.autograd.grad(told.sum(), [logits])
    ratios, came = Ratios(experts, logits.detach()), targets[:, None]
    a, log_g = product._gate(features, logits.detach().log_softmax(1), experts)
    exponent = ratios.add_to(a[:, :1] * logits + a[:, 1:2] * ratios.log_frequencies, a[:, 2:])
    of_product = exponent.log_softmax(1).gather(1, came)
    whole = torch.logsumexp(torch.cat([of_product, parts[:, 1:]], dim=1) + log_g, dim=1)
    (plain,) = torch.autograd.grad(whole.sum(), [logits])
    torch.testing.assert_close(fast, plain, rtol=0, atol=1e-9)
