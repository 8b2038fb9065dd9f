"""The product at one place, by numpy, is the product of many, by torch."""

import numpy as np
import pytest
import torch

from tests.counts.plain import make_ids, make_learned
from textgen.counts.experts import Form
from textgen.counts.mixer import Mixer
from textgen.counts.product import Product
from textgen.errors import TextgenError
from textgen.runs.checkpoint import arrays_of

V, F = 9, 5
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10}


def make_gate(form: Form, dtype: torch.dtype = torch.float64) -> Product:
    torch.manual_seed(0)
    product = Product(F, form).to(dtype)
    for parameter in product.parameters():
        torch.nn.init.normal_(parameter)
    return product


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("given", [1, 2, 40])
@pytest.mark.parametrize("skips", [0, 2])
def test_one_place_is_as_many(given: int, skips: int, dtype: torch.dtype) -> None:
    """After every beginning of a text, as far as it counts as read: hardly, or for long."""
    learned = make_learned(300, V, skips)
    text = make_ids(60, V, 1)
    product = make_gate(learned.form, dtype)
    mixer = Mixer(arrays_of(product), learned)
    has = mixer.given(text[:given])
    reading = learned.reading(text[:given], text[:0])
    for place in range(given, len(text)):
        features, logits = torch.randn(1, F, dtype=dtype), 3 * torch.randn(1, V, dtype=dtype)
        recent = text[:place]
        seen = reading.seen_after(recent[None, -learned.histories.reach :])
        experts = learned.consult(seen, features.numpy().dtype.type)
        with torch.no_grad():
            expected = product(features, logits, experts)[0]
        found = mixer.log_probabilities(
            features[0].numpy(), logits[0].numpy(), tuple(recent.tolist()), has
        )
        assert found.dtype == features.numpy().dtype
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype])
        assert np.exp(found).sum() == pytest.approx(1, abs=TOLERANCE[dtype])


def test_a_gate_for_other_counts_is_refused() -> None:
    learned = make_learned(300, V)
    for gate in ({}, arrays_of(make_gate(Form(learned.form.longest)))):
        with pytest.raises(TextgenError, match="of two trainings"):
            Mixer(gate, learned)
