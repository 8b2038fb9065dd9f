"""A sample of a text is judged as the whole text is, where it stands."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_model, make_story
from textgen.counts import adapting
from textgen.counts.learned import Learned
from textgen.counts.product import Counts, Product
from textgen.evaluation import sample as sampling
from textgen.evaluation.heard import Heard
from textgen.evaluation.kneser_ney import kneser_ney_surprisals
from textgen.evaluation.mixture import evaluate_text, mixture_surprisals
from textgen.evaluation.perplexity import Passage, token_surprisals
from textgen.evaluation.sample import Sample
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.text.vocab import Vocab

TEXT = make_story(3000)
VOCAB = Vocab.build(TEXT)
BEFORE, JUDGED = TEXT[:2000], TEXT[2000:]
PASSAGE = Passage.of(VOCAB, JUDGED, BEFORE)
SAMPLE = Sample.of(PASSAGE.count, 4, 200)


def make_counts() -> Counts:
    torch.manual_seed(1)
    learned = Learned.of(VOCAB.encode(BEFORE), len(VOCAB))
    product = Product(make_model(len(VOCAB)).num_features, learned.form)
    with torch.no_grad():
        for parameter in product.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # so that every expert is asked
    return Counts(learned, product)


@given(st.integers(1, 500), st.integers(1, 40), st.none() | st.integers(1, 600))
def test_rows_are_spread_evenly(count: int, rows: int, most: int | None) -> None:
    sample = Sample.of(count, rows, most)
    places, heard = sample.places.tolist(), sample.heard.tolist()
    assert all(one < other for row in (places, heard) for one, other in pairwise(row))
    assert set(places) <= set(heard) <= set(range(count))
    if most is None or most >= count:
        assert places == list(range(count))
    else:
        assert len(places) <= max(most, rows)
        assert max(map(int.__sub__, places[1:], places), default=0) <= sample.step


@given(st.integers(1, 10**8), st.integers(2000, 10_000))
def test_however_long_a_text_as_much_is_judged(count: int, judged: int) -> None:
    on_the_way, at_the_end = Sample.on_the_way(count, judged), Sample.at_the_end(count, judged)
    if count <= sampling.NOVEL:  # read as a whole
        assert on_the_way.length == on_the_way.step
        assert at_the_end == Sample.of(count)
    else:
        assert 0.9 * judged < len(on_the_way.places) <= judged
        assert 9 * judged < len(at_the_end.places) <= 10 * judged
        assert on_the_way.step == at_the_end.step  # what the one judges, the other does
        assert on_the_way.length <= at_the_end.length


def test_the_network_judges_a_row_as_a_text_of_its_own() -> None:
    model = make_model(len(VOCAB))
    found = token_surprisals(model, PASSAGE, SAMPLE)
    side_by_side = token_surprisals(model, PASSAGE, Sample.of(PASSAGE.count, SAMPLE.rows))
    np.testing.assert_allclose(found, side_by_side[SAMPLE.places], rtol=1e-5)
    begins = SAMPLE.places[:: SAMPLE.length].tolist()
    alone = [
        token_surprisals(
            model,
            Passage.of(VOCAB, JUDGED[begin : begin + SAMPLE.length], BEFORE + JUDGED[:begin]),
        )
        for begin in begins
    ]
    np.testing.assert_allclose(found, np.concatenate(alone), rtol=1e-4)


def test_with_counts_a_sample_is_judged_as_the_whole_text_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for rate in ("LEARNING_RATE", "CORRECTION_RATE"):  # it reads less, and would learn less
        monkeypatch.setattr(adapting, rate, 0.0)
    model, counts = make_model(len(VOCAB)), make_counts()
    whole = mixture_surprisals(model, PASSAGE, counts, Sample.of(PASSAGE.count, SAMPLE.rows))
    heard = Heard.of(counts.learned, PASSAGE, Sample.of(PASSAGE.count))
    for given_heard in (None, heard):  # all stands within the tokens that are heard
        found = mixture_surprisals(model, PASSAGE, counts, SAMPLE, given_heard)
        for kind in ("network", "static", "mixed"):
            np.testing.assert_allclose(
                getattr(found, kind), getattr(whole, kind)[SAMPLE.places], rtol=1e-4
            )
    figures = evaluate_text(model, PASSAGE, counts, SAMPLE)
    assert figures.model.tokens == len(SAMPLE.places)
    assert figures.model.bits_per_character == pytest.approx(found.mixed.mean())


def test_what_is_heard_of_a_long_text_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(Sample.at_the_end(10**8).heard) < 500_000
    monkeypatch.setattr(sampling, "LATELY", 20)
    heard = Heard.of(make_counts().learned, PASSAGE, SAMPLE)
    assert len(heard.places) == 4 * (20 + 50) - 20  # nothing stands before the first row
    assert np.array_equal(heard.reading.tokens, PASSAGE.ids[heard.places])
    assert mixture_surprisals(make_model(len(VOCAB)), PASSAGE, make_counts(), SAMPLE).mixed.all()


@pytest.mark.parametrize("counts", [None, make_counts()])
def test_who_watches_is_told_all_and_can_end_it(counts: Counts | None) -> None:
    told: list[int] = []
    evaluate_text(make_model(len(VOCAB)), PASSAGE, counts, SAMPLE, watch=told.append)
    assert sum(told) == len(SAMPLE.places)

    def refuse(_: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate_text(make_model(len(VOCAB)), PASSAGE, counts, SAMPLE, watch=refuse)


def test_the_yardsticks_of_a_sample_are_those_of_its_places() -> None:
    vocab = Vocab.build(TEXT)
    whole = kneser_ney_surprisals(vocab.encode(BEFORE), vocab.encode(JUDGED), len(vocab))
    found = count_yardsticks(BEFORE, JUDGED, sample=SAMPLE)
    assert found.kneser_ney.tokens == found.trigram.tokens == len(SAMPLE.places)
    assert found.kneser_ney.bits_per_character == pytest.approx(whole[SAMPLE.places].mean())
    everything = Sample.of(len(JUDGED), 7)
    assert count_yardsticks(BEFORE, JUDGED).kneser_ney.bits_per_character == pytest.approx(
        count_yardsticks(BEFORE, JUDGED, 5000, everything).kneser_ney.bits_per_character
    )
    assert count_yardsticks(BEFORE, JUDGED, 500).kneser_ney.bits_per_character > whole.mean()
