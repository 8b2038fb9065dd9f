"""What the experts say, against their formulas written down plainly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.counts.plain import Dense, dense, discounted, make_ids, make_learned, windowed
from textgen.counts.experts import WINDOWS, Form, consult, form_for, frequencies_of, longest_history
from textgen.counts.histories import Histories
from textgen.counts.learned import Learned
from textgen.counts.reading import Reading
from textgen.text.vocab import TokenIds

V = 5
FORM = Form(longest=3, skips=2)
K = FORM.longest


def texts(least: int) -> st.SearchStrategy[TokenIds]:
    tokens = st.lists(st.integers(0, V - 1), min_size=least, max_size=60)
    return tokens.map(lambda ids: np.array(ids, np.int32))


def followers(text: TokenIds, history: TokenIds, skipped: int = 0) -> TokenIds:
    """Return all that followed a history in a text, in order; -1 in it is no token."""
    k = len(history)
    begins = range(len(text) - k - skipped)
    found = [text[b + k + skipped] for b in begins if (text[b : b + k] == history).all()]
    return np.array(found, int)


def said(learned: TokenIds, read: TokenIds, context: TokenIds, frequencies: Dense) -> list[Dense]:
    """Return phi of all experts at the end of what was read, and what they know."""
    recent = np.concatenate([np.full(K + 2, -1), context, read])
    every, latest = [], []
    for k in range(1, K + 1):
        lately = followers(read, recent[-k:])
        of_all = np.concatenate([followers(learned, recent[-k:]), lately])
        every.append(np.bincount(of_all, minlength=V).astype(float))
        latest.append(np.bincount(lately[-2:], minlength=V).astype(float))
    skipping = []
    for skipped in (1, 2):
        history = recent[-2 - skipped : -skipped]
        found = [followers(text, history, skipped) for text in (learned, read)]
        skipping.append(np.bincount(np.concatenate(found), minlength=V).astype(float))
    until = len(read) - len(read) % 16
    known = [number for c in every + latest + skipping for number in (c.sum(), (c > 0).sum())]
    known += [min(size, until) for size in WINDOWS]
    return [
        *discounted(every, frequencies),
        *discounted(latest, frequencies),
        *(phi for one in skipping for phi in discounted([one], frequencies)),
        *windowed(read[:until], frequencies),
        np.log1p(known),
    ]


@given(texts(0), texts(1), texts(0))
@settings(max_examples=25)
def test_the_formulas(learned: TokenIds, text: TokenIds, context: TokenIds) -> None:
    frequencies = frequencies_of(np.bincount(learned, minlength=V))
    reading = Reading(Histories.of(learned, V, K, FORM.skips), text, context)
    experts = consult(reading.seen(np.arange(len(text))), frequencies)
    phi = dense(experts)
    assert phi.shape == (len(text), FORM.num_experts, V)
    assert experts.inputs.shape == (len(text), FORM.num_inputs)
    np.testing.assert_allclose(experts.log_frequencies, np.log(frequencies), atol=1e-12)
    for place in range(len(text)):
        *expected, known = said(learned, text[:place], context, frequencies)
        np.testing.assert_allclose(phi[place], np.stack(expected), atol=1e-9)
        np.testing.assert_allclose(experts.inputs[place], known, atol=1e-12)


def test_each_familys_and_windows_sum_is_a_distribution() -> None:
    learned = make_learned(300, V)
    places = np.arange(100)
    reading = learned.reading(make_ids(100, V, 1), make_ids(0, V))
    experts = learned.consult(reading.seen(places), np.float64)
    phi, longest = dense(experts), learned.form.longest
    alone = [phi[:, place] for place in range(2 * longest, phi.shape[1])]
    for total in (phi[:, :longest].sum(1), phi[:, longest : 2 * longest].sum(1), *alone):
        np.testing.assert_allclose(np.exp(total + experts.log_frequencies).sum(1), 1, atol=1e-9)


def test_in_single_precision_they_say_the_same() -> None:
    learned = make_learned(300, V)
    seen = learned.reading(make_ids(100, V, 1), make_ids(0, V)).seen(np.arange(100))
    single, double = learned.consult(seen), learned.consult(seen, np.float64)
    kinds = {single.constants.dtype, single.inputs.dtype, single.windows.dtype}
    assert kinds | {expert.values.dtype for expert in single.histories} == {np.dtype(np.float32)}
    np.testing.assert_allclose(dense(single), dense(double), atol=1e-4)


@pytest.mark.parametrize(
    ("vocab_size", "length", "expected"),
    [(4, 10**6, 8), (1, 1000, 8), (4000, 0, 2), (4000, 1, 2)],
)
def test_the_longest_history(vocab_size: int, length: int, expected: int) -> None:
    frequencies = np.full(vocab_size, 1 / vocab_size)
    assert longest_history(frequencies, length) == expected


def test_only_where_histories_are_short_some_skip() -> None:
    assert form_for(np.full(4000, 1 / 4000), 10**6).skips == 2
    assert form_for(np.full(30, 1 / 30), 10**6) == Form(7)


def test_the_longer_the_text_and_the_fewer_the_kinds_the_longer_the_history() -> None:
    by_length = [longest_history(np.full(30, 1 / 30), 10**n) for n in range(10)]
    by_kinds = [longest_history(np.full(n, 1 / n), 10**6) for n in (4000, 300, 30, 3)]
    assert by_length == sorted(by_length)
    assert by_kinds == sorted(by_kinds)
    assert len(set(by_length)) > 3 < len({*by_kinds, 0})


def test_a_large_vocabulary_and_many_places() -> None:
    """Row and token as one number do not fit into 32 bits."""
    vocab_size, rows = 100_000, 25_000
    text = make_ids(2000, vocab_size)
    learned = Learned.of(text, vocab_size)
    before = np.resize(text, rows)
    experts = learned.consult(learned.reading(before, text[:0]).seen(np.arange(rows), hidden=True))
    assert experts.windows.shape == (1, 3, vocab_size)
    for expert in [*experts.histories[: learned.form.longest], *experts.histories[-2:]]:
        assert expert.keys[-1] > 2**31
        assert (np.diff(expert.keys) > 0).all()
        assert np.array_equal(expert.keys // vocab_size, expert.rows)
        assert np.isfinite(expert.values).all()
