"""Kneser-Ney by arrays is Kneser-Ney by dictionaries, and its probabilities are some."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_story
from textgen.evaluation.kneser_ney import ORDER, kneser_ney_surprisals
from textgen.evaluation.trigram import trigram_surprisals
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.text.vocab import Vocab

TEXT = make_story(1500)
VOCAB = Vocab.build(TEXT)

Gram = tuple[int, ...]


def by_dictionaries(training: list[int], judged: list[int], vocab_size: int) -> list[float]:
    """Return the surprisals in bits, from the definition."""
    grams = {
        order: Counter(
            tuple(training[end - order : end]) for end in range(order, len(training) + 1)
        )
        for order in range(1, ORDER + 1)
    }
    counts: dict[int, dict[Gram, int]] = {ORDER: grams[ORDER]}
    for order in range(1, ORDER):  # after how many different tokens it stood
        counts[order] = Counter(gram[1:] for gram in grams[order + 1])
    discounts, followed = {}, {}
    for order, found in counts.items():
        n1, n2, n3, n4 = (sum(c == k for c in found.values()) for k in (1, 2, 3, 4))
        discounts[order] = [0.0, 0.75, 0.75, 0.75]
        if n1 and n2 and n3 and n4:
            share = n1 / (n1 + 2 * n2)
            wanted = [1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3]
            if min(wanted) > 0:
                discounts[order] = [0.0, *wanted]
        followed[order] = defaultdict[Gram, list[int]](list)
        for gram, count in found.items():
            followed[order][gram[:-1]].append(count)

    def probability(history: Gram, token: int) -> float:
        order = len(history) + 1
        shorter = probability(history[1:], token) if history else 1 / vocab_size
        known = followed[order].get(history)
        if not known:
            return shorter
        taken = sum(discounts[order][min(count, 3)] for count in known)
        own = counts[order].get((*history, token), 0)
        return (own - discounts[order][min(own, 3)] + taken * shorter) / sum(known)

    whole = training + judged
    return [
        -math.log2(probability(tuple(whole[max(0, end - ORDER + 1) : end]), whole[end]))
        for end in range(len(training), len(whole))
    ]


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 40, 900])
def test_it_is_kneser_neys(cut: int) -> None:
    ids = VOCAB.encode(TEXT)
    found = kneser_ney_surprisals(ids[:cut], ids[cut:], len(VOCAB))
    expected = by_dictionaries(ids[:cut].tolist(), ids[cut:].tolist(), len(VOCAB))
    np.testing.assert_allclose(found, expected)
    if cut:
        counted = count_yardsticks(TEXT[:cut], TEXT[cut:])
        assert counted.kneser_ney.bits_per_character == pytest.approx(np.mean(expected))
        trigram = trigram_surprisals(ids[:cut], ids[cut:], len(VOCAB))
        assert counted.trigram.bits_per_character == pytest.approx(trigram.mean())


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=60), st.lists(st.integers(0, 5), max_size=6)
)
def test_probabilities_sum_to_one_and_the_future_changes_nothing(
    training: Sequence[int], judged: list[int]
) -> None:
    def chance(token: int, more: list[int]) -> float:
        text = np.array([*judged, token, *more], dtype=np.int32)
        bits = kneser_ney_surprisals(np.array(training, dtype=np.int32), text, 6)
        return float(2 ** -bits[len(judged)])

    assert sum(chance(token, []) for token in range(6)) == pytest.approx(1)
    assert chance(3, []) == pytest.approx(chance(3, [3, 3, 3]))


def test_where_all_stands_many_times_nothing_is_impossible() -> None:
    text = TEXT[:300] * 9 + TEXT[300:]
    assert 0 < count_yardsticks(text[:2800], text[2800:]).kneser_ney.bits_per_character < 20


def test_it_is_better_than_the_trigram() -> None:
    text = make_story(12_000)
    counted = count_yardsticks(text[:10_000], text[10_000:])
    assert counted.kneser_ney.bits_per_character < counted.trigram.bits_per_character
