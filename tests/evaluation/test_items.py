"""Items are judged one by one, each from a fresh state on and with nothing read before it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_model, make_story
from textgen.counts.learned import Learned
from textgen.counts.product import Counts, Product
from textgen.evaluation.dynamic import evaluate_dynamically
from textgen.evaluation.items import pieces
from textgen.evaluation.mixture import evaluate_text as evaluate_mixture
from textgen.evaluation.mixture import mixture_surprisals
from textgen.evaluation.perplexity import Passage, evaluate_text, token_surprisals
from textgen.evaluation.predictions import predict_text
from textgen.evaluation.sample import Sample
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.text.vocab import Vocab

STORY = make_story(2400).replace("。", "").splitlines(keepends=True)
LONG = ["".join(line.strip() for line in STORY[:6]) + "\n", *STORY[6:9]]
LINES = [*STORY[9:60], *LONG]
TRAINING, JUDGED = "".join(LINES[:40]), "".join(LINES[40:])
VOCAB = Vocab.build("".join(LINES))
PASSAGE = Passage.of(VOCAB, JUDGED, TRAINING, "\n")
MODEL = make_model(len(VOCAB))


def make_counts() -> Counts:
    torch.manual_seed(1)
    learned = Learned.of(VOCAB.encode("\n" + TRAINING), len(VOCAB), end=VOCAB["\n"])
    product = Product(MODEL.num_features, learned.form)
    with torch.no_grad():
        for parameter in product.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return Counts(learned, product)


def test_a_list_costs_what_its_items_do_alone() -> None:
    assert max(map(len, JUDGED.splitlines())) > 64  # also one that is read in several pieces
    items = [Passage.of(VOCAB, line, "", "\n") for line in JUDGED.splitlines(keepends=True)]
    alone = np.concatenate([token_surprisals(MODEL, item) for item in items])
    assert np.allclose(token_surprisals(MODEL, PASSAGE), alone, atol=1e-4)
    as_a_text = [Passage.of(VOCAB, line, "\n") for line in JUDGED.splitlines(keepends=True)]
    plain = np.concatenate([token_surprisals(MODEL, item) for item in as_a_text])
    assert np.allclose(alone, plain, atol=1e-4)


def test_with_counts_as_well_and_nothing_counts_as_read() -> None:
    counts = make_counts()
    whole = evaluate_mixture(MODEL, PASSAGE, counts)
    assert whole.static == whole.mixed
    assert whole.network.bits_per_character == pytest.approx(
        evaluate_text(MODEL, PASSAGE).bits_per_character
    )
    items = [Passage.of(VOCAB, line, "", "\n") for line in JUDGED.splitlines(keepends=True)]
    alone = np.concatenate([mixture_surprisals(MODEL, item, counts).mixed for item in items])
    assert whole.model.bits_per_character == pytest.approx(alone.mean())
    assert whole.model.tokens == len(JUDGED)


@given(st.integers(1, 40), st.integers(1, 400), st.integers(1, 50))
def test_of_a_sample_each_place_is_judged_once(rows: int, most: int, columns: int) -> None:
    sample = Sample.of(PASSAGE.count, rows, most)
    assert PASSAGE.end is not None
    found = [
        places[places >= 0] for _, places, _ in pieces(PASSAGE.ids[:], PASSAGE.end, sample, columns)
    ]
    assert torch.cat(found).sort().values.tolist() == sample.places.tolist()


def test_a_sample_costs_what_it_does_in_the_whole() -> None:
    sample = Sample.of(PASSAGE.count, 7, 70)
    found = token_surprisals(MODEL, PASSAGE, sample)
    assert np.allclose(found, token_surprisals(MODEL, PASSAGE)[sample.places], atol=1e-4)
    told: list[int] = []
    evaluate_mixture(MODEL, PASSAGE, make_counts(), sample, watch=told.append)
    assert sum(told) == len(sample.places)


@pytest.mark.parametrize("counts", [None, make_counts()])
def test_in_order_it_is_the_same(counts: Counts | None) -> None:
    expected = evaluate_mixture(MODEL, PASSAGE, counts).model
    predicted = predict_text(MODEL, PASSAGE, counts=counts).bits
    assert predicted.mean() == pytest.approx(expected.bits_per_character, abs=1e-4)
    adapting = evaluate_dynamically(MODEL, VOCAB, PASSAGE, TRAINING, 0.0, counts)
    assert adapting.bits_per_character == pytest.approx(expected.bits_per_character, abs=1e-4)


def test_the_yardsticks_look_past_no_end_either() -> None:
    """What stands before an item, and in which order they are, is all the same to them."""
    lines = JUDGED.splitlines(keepends=True)
    learned = TRAINING.splitlines(keepends=True)
    found, other = (
        count_yardsticks("".join(one), "".join(two), end="\n")
        for one, two in ((learned, lines), (learned[::-1], lines[::-1]))
    )
    for ours, theirs in ((found.kneser_ney, other.kneser_ney), (found.trigram, other.trigram)):
        assert ours.bits_per_character == pytest.approx(theirs.bits_per_character)
        assert ours.tokens == len(JUDGED)
    sample = Sample.of(len(JUDGED), 7, 70)
    sampled = count_yardsticks(TRAINING, JUDGED, sample=sample, end="\n").kneser_ney
    assert sampled.tokens == len(sample.places)
