"""What goes on learning as it reads: gate and correction, and only from what has been judged."""

import numpy as np
import pytest
import torch

from tests.conftest import make_model, make_story
from tests.counts.plain import make_experts
from textgen.counts import adapting
from textgen.counts.adapting import Adapting, as_it_reads, piece_of
from textgen.counts.learned import Learned
from textgen.counts.product import Counts, Product
from textgen.evaluation.mixture import Bits, mixture_surprisals
from textgen.evaluation.perplexity import Passage
from textgen.text.vocab import Vocab

R, V, E = 40, 6, 5
TEXT = make_story(3000)
VOCAB = Vocab.build(TEXT)


def judged(counts: Counts, text: str) -> Bits:
    model = make_model(len(VOCAB))
    return mixture_surprisals(model, Passage.of(VOCAB, text, TEXT[:2000]), counts)


@pytest.fixture
def counts() -> Counts:
    learned = Learned.of(VOCAB.encode(TEXT[:2000]), len(VOCAB))
    features = make_model(len(VOCAB)).num_features
    return Counts(learned, Product(features, learned.form))


def test_the_first_step_is_the_gradient_so_much_a_place() -> None:
    torch.manual_seed(0)
    learned, experts = make_experts(R, V)
    product = Product(E, learned.form).double()
    features, logits = torch.randn(R, E).double(), torch.randn(R, V).double()
    targets = torch.randint(V, (R,))
    before = [parameter.clone() for parameter in product.parameters()]
    told, parts = product.judge(features, logits, experts, targets)
    gradients = torch.autograd.grad(told.sum(), list(product.parameters()))
    reading = Adapting(product, V)
    found, found_parts = reading.judge(features, logits, experts, targets)
    assert not found.requires_grad
    assert torch.equal(found, told)
    assert torch.equal(found_parts, parts)
    for old, kept, new, gradient in zip(
        before, product.parameters(), reading.product.parameters(), gradients, strict=True
    ):
        assert torch.equal(kept, old)
        torch.testing.assert_close(new, old + adapting.LEARNING_RATE * gradient)
    assert reading.correction.shape == (V, E)
    after = reading(features, logits, experts)
    torch.testing.assert_close(after.exp().sum(1), torch.ones(R).double())
    assert reading.judge(features, logits, experts, targets)[0].sum() > found.sum()


def test_the_correction_learns_what_network_and_counts_are_wrong_about() -> None:
    """Features that tell the next token, which nobody listens to, are heard by and by."""
    torch.manual_seed(0)
    learned, experts = make_experts(R, V)
    reading = Adapting(Product(V, learned.form).double(), V)
    logits = torch.zeros(R, V).double()
    first, *_, last = (
        float(reading.judge(torch.eye(V).double()[targets], logits, experts, targets)[0].mean())
        for targets in torch.randint(V, (30, R))
    )
    assert last > first + 0.5
    assert (reading.correction.argmax(dim=0) == torch.arange(V)).all()


def test_each_tokens_correction_learns_by_the_gradient_the_slower_the_more_it_has_learned() -> None:
    torch.manual_seed(0)
    learned, experts = make_experts(R, V)
    product = Product(E, learned.form).double()
    features, logits = torch.randn(R, E).double(), torch.randn(R, V).double()
    targets = torch.randint(V, (R,))
    reading = Adapting(product, V)
    square = features.square().sum(1).mean()
    learned_so_far = torch.full((V, 1), 10.0).double()
    for _ in range(2):
        before = reading.correction.detach().clone().requires_grad_()
        corrected = logits + features @ before.t()
        told, _ = reading.product.judge(features, corrected, experts, targets)
        (gradient,) = torch.autograd.grad(told.sum(), [before])
        reading.judge(features, logits, experts, targets)
        learned_so_far += gradient.square().sum(1, keepdim=True) / square
        step = 2.0 * gradient / square / learned_so_far.sqrt()
        torch.testing.assert_close(reading.correction, before + step)


def test_only_frequent_tokens_are_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapting, "CORRECTED", 4)
    learned, experts = make_experts(R, V)
    reading = Adapting(Product(E, learned.form).double(), V)
    features, logits = torch.randn(R, E).double(), torch.randn(R, V).double()
    for _ in range(2):
        reading.judge(features, logits, experts, torch.randint(V, (R,)))
    assert reading.correction.shape == (4, E)
    told = reading(features, logits, experts).exp().sum(1)
    torch.testing.assert_close(told, torch.ones(R).double())


def test_no_piece_throws_it_far() -> None:
    learned, experts = make_experts(R, V)
    product = Product(E, learned.form).double()
    reading = Adapting(product, V)
    features, logits = 1e6 * torch.ones(R, E).double(), 1e3 * torch.randn(R, V).double()
    for _ in range(3):
        reading.judge(features, logits, experts, torch.zeros(R, dtype=torch.int64))
    moved = [
        new - old
        for old, new in zip(product.parameters(), reading.product.parameters(), strict=True)
    ]
    norm = torch.cat([one.flatten() for one in moved]).norm()
    assert 0.5 < norm < 3.1


def test_what_comes_changes_nothing_before_it(counts: Counts) -> None:
    whole = judged(counts, TEXT[2000:])
    for place in (100, 128, 500):
        other = TEXT[2000 : 2000 + place] + TEXT[2000:2300][::-1]
        found = judged(counts, other)
        for kind in ("network", "static", "mixed"):
            expected = getattr(whole, kind)[:place]
            np.testing.assert_allclose(getattr(found, kind)[:place], expected, rtol=1e-5)


def test_only_what_was_read_lately_is_judged_otherwise(
    counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning = judged(counts, TEXT[2000:])
    monkeypatch.setattr(adapting, "LEARNING_RATE", 0.0)
    monkeypatch.setattr(adapting, "CORRECTION_RATE", 0.0)
    standing_still = judged(counts, TEXT[2000:])
    assert np.array_equal(learning.network, standing_still.network)
    assert np.array_equal(learning.static, standing_still.static)
    first = piece_of(len(VOCAB))
    assert np.array_equal(learning.mixed[:first], standing_still.mixed[:first])
    assert learning.mixed[first:].mean() < standing_still.mixed[first:].mean()


def test_items_stand_for_themselves(counts: Counts) -> None:
    assert as_it_reads(counts.product, V, alone=True) is counts.product


@pytest.mark.parametrize(
    ("vocab_size", "places"), [(1, 128), (65, 128), (4446, 128), (20_000, 32), (10**6, 16)]
)
def test_pieces(vocab_size: int, places: int) -> None:
    assert piece_of(vocab_size) == places
