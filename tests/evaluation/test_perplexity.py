import math
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
import torch

from tests.conftest import make_model, make_story
from textgen.evaluation.perplexity import Passage, evaluate_text, token_surprisals
from textgen.evaluation.sample import Sample
from textgen.evaluation.trigram import trigram_surprisals
from textgen.model.language_model import LanguageModel
from textgen.text.vocab import Vocab

TEXT = make_story(1500)
VOCAB = Vocab.build(TEXT)


def make_decided_model(vocab: Vocab) -> LanguageModel:
    model = make_model(len(vocab))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # so that the state matters
    return model


def test_every_token_is_judged_in_order_with_the_state_carried() -> None:
    model = make_decided_model(VOCAB).eval()
    passage = Passage.of(VOCAB, TEXT[100:], TEXT[:100])
    expected, state = [], None
    everything = [*passage.context, *passage.ids[:]]
    with torch.inference_mode():
        for previous, token in pairwise(everything):
            logits, state = model(torch.tensor([[previous]]), state)
            expected.append(-logits[0, 0].log_softmax(0)[token].item() / math.log(2))
    found = token_surprisals(model, passage)
    np.testing.assert_allclose(found, expected[len(passage.context) - 1 :], atol=1e-4)


@pytest.mark.parametrize("rows", [2, 7, 32])
def test_rows_give_nearly_the_same(rows: int) -> None:
    model = make_decided_model(VOCAB)
    passage = Passage.of(VOCAB, TEXT[300:], TEXT[:300])
    exact, quick = (
        token_surprisals(model, passage, Sample.of(passage.count, r)) for r in (1, rows)
    )
    assert len(quick) == len(exact) == len(TEXT) - 300
    assert abs(quick.mean() - exact.mean()) < 0.01


def test_knowing_nothing_costs_log2_of_the_vocabulary() -> None:
    model = make_decided_model(VOCAB)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    evaluation = evaluate_text(model, Passage.of(VOCAB, TEXT))
    assert evaluation.perplexity == pytest.approx(len(VOCAB))
    assert evaluation.bits_per_character == pytest.approx(math.log2(len(VOCAB)))
    assert evaluation.tokens == len(TEXT)


def test_bits_are_per_character_also_for_words() -> None:
    vocab = Vocab.build(TEXT, "word")
    evaluation = evaluate_text(make_decided_model(vocab), Passage.of(vocab, TEXT))
    assert evaluation.tokens < len(TEXT)
    total = math.log2(evaluation.perplexity) * evaluation.tokens
    assert evaluation.bits_per_character == pytest.approx(total / len(TEXT))


def test_what_is_folded_into_unknown_costs_its_share() -> None:
    vocab = Vocab.build("的" * 90 + "甲乙丙丁", min_count=2)
    model = make_model(len(vocab), embedding_size=4, hidden_size=4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert len(vocab) == 2
    # One bit says <unk>, two more say which of the four; 戊 makes five.
    assert evaluate_text(model, Passage.of(vocab, "甲")).bits_per_character == pytest.approx(3)
    assert evaluate_text(model, Passage.of(vocab, "的甲")).bits_per_character == pytest.approx(2)
    expected = 1 + math.log2(5)
    found = evaluate_text(model, Passage.of(vocab, "戊"))
    assert found.bits_per_character == pytest.approx(expected)


def witten_bell(training: list[int], judged: list[int], vocab_size: int) -> list[float]:
    """Follow the definition word by word."""
    counts: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for order in range(3):
        for i in range(order, len(training)):
            counts[tuple(training[i - order : i])][training[i]] += 1

    def probability(token: int, history: tuple[int, ...] | None) -> float:
        if history is None:
            return 1 / vocab_size
        shorter = probability(token, history[1:] if history else None)
        seen = counts.get(history)
        if not seen:
            return shorter
        return (seen[token] + len(seen) * shorter) / (seen.total() + len(seen))

    whole = training[-2:] + judged
    first = len(whole) - len(judged)
    return [
        -math.log2(probability(whole[i], tuple(whole[max(0, i - 2) : i])))
        for i in range(first, len(whole))
    ]


@pytest.mark.parametrize("cut", [0, 1, 2, 900])
def test_the_trigram_is_witten_bells(cut: int) -> None:
    ids = VOCAB.encode(TEXT)
    found = trigram_surprisals(ids[:cut], ids[cut:], len(VOCAB))
    expected = witten_bell(ids[:cut].tolist(), ids[cut:].tolist(), len(VOCAB))
    np.testing.assert_allclose(found, expected)
