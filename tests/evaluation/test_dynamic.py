import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import make_model, make_story
from textgen.errors import TextgenError
from textgen.evaluation.dynamic import SEGMENT, dynamic_surprisals, evaluate_dynamically
from textgen.evaluation.perplexity import Passage, evaluate_text
from textgen.model.language_model import LanguageModel
from textgen.model.state import detach
from textgen.text.vocab import Vocab

LEARNED, TEXT = make_story(10 * SEGMENT), make_story(8 * SEGMENT + 7, seed=1)
VOCAB = Vocab.build(make_story(1500))
CONFIGS: dict[str, dict[str, Any]] = {
    "lstm": {},
    "scratch": {"model": "scratch"},
    "gru": {"cell": "gru"},
    "rnn": {"cell": "rnn"},
    "two layers": {"num_layers": 2},
    "one-hot": {"embedding_size": 0},
    "one-hot, scratch": {"embedding_size": 0, "model": "scratch"},
    "untied": {"tie": False},
    "sampled": {"softmax": "sampled"},
}


def read(text: str) -> Passage:
    return Passage.of(VOCAB, text)


def make_dropping_model(vocab: Vocab = VOCAB, **settings: Any) -> LanguageModel:  # noqa: ANN401
    return make_model(len(vocab), **{"dropout": 0.5, **settings})


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_without_a_learning_rate_it_is_the_ordinary_figure(config: dict[str, Any]) -> None:
    model = make_dropping_model(**config)
    for before in ("", LEARNED):
        passage = Passage.of(VOCAB, TEXT, before)
        found = evaluate_dynamically(model, VOCAB, passage, LEARNED, learning_rate=0.0)
        expected = evaluate_text(model, passage)
        assert found.bits_per_character == pytest.approx(expected.bits_per_character, abs=1e-5)
        assert found.tokens == expected.tokens


def test_without_a_learning_rate_unknown_tokens_and_words_cost_what_they_do() -> None:
    learned = make_story(1500)
    for vocab in (Vocab.build(learned, min_count=90), Vocab.build(learned, "word")):
        model = make_dropping_model(vocab)
        passage = Passage.of(vocab, TEXT + "龘")
        found = evaluate_dynamically(model, vocab, passage, LEARNED, learning_rate=0.0)
        expected = evaluate_text(model, passage)
        assert found.perplexity == pytest.approx(expected.perplexity)
        assert found.bits_per_character == pytest.approx(expected.bits_per_character)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_text_that_repeats_itself_gets_cheaper(config: dict[str, Any]) -> None:
    model = make_dropping_model(**config)
    bits = dynamic_surprisals(model, VOCAB, read(3 * TEXT), LEARNED, learning_rate=5e-3)
    first, second, third = bits.reshape(3, -1).mean(axis=1)
    assert first > second > third


@pytest.mark.parametrize("place", [0, 1, SEGMENT - 1, SEGMENT, 5 * SEGMENT + 7])
def test_nothing_is_learned_from_before_it_is_judged(place: int) -> None:
    other = "见" if TEXT[place] != "见" else "人"
    changed = TEXT[:place] + other + TEXT[place + 1 :]
    model = make_dropping_model()
    bits = dynamic_surprisals(model, VOCAB, read(TEXT), LEARNED)
    found = dynamic_surprisals(model, VOCAB, read(changed), LEARNED)
    np.testing.assert_array_equal(found[:place], bits[:place])
    changes = found[place + SEGMENT :] != bits[place + SEGMENT :]
    assert changes.mean() > 0.9  # it is learned from then; by chance, two figures may be the same


def test_a_step_is_the_rule() -> None:
    """A step by hand leaves weights that judge the second segment the same."""
    text, learning_rate = TEXT[: 2 * SEGMENT], 1e-2
    model = make_dropping_model(dropout=0.0)
    parameters = list(model.parameters())

    def losses(text: str) -> Iterator[Tensor]:
        ids, state = torch.from_numpy(VOCAB.encode("\n" + text)), None
        for first in range(0, len(text), SEGMENT):
            x, y = ids[first : first + SEGMENT], ids[first + 1 : first + 1 + SEGMENT]
            loss, state = model.loss(x[None], y[None], detach(state))
            yield loss

    gradients = [torch.autograd.grad(loss, parameters) for loss in losses(LEARNED)]
    roots = [torch.stack(each).square().mean(0).sqrt() for each in zip(*gradients, strict=True)]
    mean = torch.cat([root.flatten() for root in roots]).mean()
    expected = []
    for loss in losses(text):
        expected.append(loss.item() / math.log(2))
        step = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient, root in zip(parameters, step, roots, strict=True):
                parameter.sub_(learning_rate * gradient / (root + mean))

    found = dynamic_surprisals(
        make_dropping_model(), VOCAB, read(text), LEARNED, learning_rate=learning_rate
    )
    np.testing.assert_allclose(found.reshape(2, SEGMENT).mean(axis=1), expected, rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_stays_as_it_is(training: bool) -> None:
    model = make_dropping_model().train(training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    learned = make_story(1500)  # longer than a sample
    figures = [evaluate_dynamically(model, VOCAB, read(TEXT), learned) for _ in range(2)]
    assert figures[0] == figures[1]  # so nothing was left behind, and no dropout drawn
    assert model.training == training
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(TextgenError, match="the text to judge is empty"):
        read("")
