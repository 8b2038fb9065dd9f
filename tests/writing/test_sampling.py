"""The one function that turns logits into probabilities, by its properties."""

from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.conftest import make_story
from textgen.config import GenerationConfig
from textgen.errors import TextgenError
from textgen.text.vocab import UNKNOWN_ID, Vocab
from textgen.writing.sampling import draw, excluded_tokens, probabilities, weights

ROW = st.lists(st.floats(-1e4, 1e4), min_size=7, max_size=7)
LOGITS = st.lists(ROW, min_size=1, max_size=4).map(lambda rows: torch.tensor(rows).double())
CLOSE = st.lists(
    st.lists(st.integers(-8, 8).map(float), min_size=7, max_size=7), min_size=1, max_size=4
).map(lambda rows: torch.tensor(rows).double())
"""Near each other, and often equal."""
TEMPERATURES = st.sampled_from([0.0, 5e-324, 1e-6, 0.5, 1.0, 3.0, 1e300])
CONFIGS = st.builds(
    GenerationConfig,
    temperature=TEMPERATURES,
    top_k=st.none() | st.integers(1, 9) | st.just(10**30),
    top_p=st.floats(0, 1, exclude_min=True),
    min_p=st.floats(0, 1),
    repetition_penalty=st.floats(0.1, 10),
    repetition_window=st.integers(1, 5),
)
EXCLUDED = torch.tensor([True, False, False, True, False, False, False])
NOTHING = torch.zeros(7, dtype=torch.bool)


def chances(
    logits: torch.Tensor,
    config: GenerationConfig,
    excluded: torch.Tensor = NOTHING,
    recent: list[int] | None = None,
) -> torch.Tensor:
    ids = np.array(recent or [], np.int64)
    rows = [probabilities(row, config, excluded.numpy(), ids) for row in logits.numpy()]
    return torch.from_numpy(np.stack(rows))


@given(LOGITS | CLOSE, CONFIGS, st.lists(st.integers(0, 6), max_size=8))
def test_probabilities_sum_to_one_and_what_is_excluded_has_none(
    logits: torch.Tensor, config: GenerationConfig, recent: list[int]
) -> None:
    before = logits.clone()
    found = chances(logits, config, EXCLUDED, recent)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.sum(1), torch.ones(len(logits)).double())
    assert (found >= 0).all()
    assert (found[:, EXCLUDED] == 0).all()
    assert torch.equal(logits, before)


@given(LOGITS | CLOSE, CONFIGS, st.floats(0, 1, exclude_max=True))
def test_what_has_no_probability_is_never_drawn(
    logits: torch.Tensor, config: GenerationConfig, uniform: float
) -> None:
    found = chances(logits, config, EXCLUDED)
    for point in (0.0, uniform, 1 - 2**-53):
        assert all(row[draw(row, point)] > 0 for row in found.numpy())


@given(LOGITS | CLOSE)
def test_temperature_zero_is_argmax(logits: torch.Tensor) -> None:
    found = chances(logits, GenerationConfig(temperature=0), EXCLUDED)
    allowed = logits.masked_fill(EXCLUDED, -torch.inf)
    assert torch.equal(found.argmax(1), allowed.argmax(1))
    assert (found.amax(1) == 1).all()


@given(LOGITS | CLOSE, st.floats(0.01, 100))
def test_without_truncation_it_is_the_softmax(logits: torch.Tensor, temperature: float) -> None:
    found = chances(logits, GenerationConfig(temperature=temperature))
    torch.testing.assert_close(found, (logits / temperature).softmax(1), rtol=1e-6, atol=1e-9)


@given(CLOSE, st.integers(1, 9))
def test_top_k_keeps_the_k_likeliest(logits: torch.Tensor, top_k: int) -> None:
    found = chances(logits, GenerationConfig(temperature=1, top_k=top_k))
    for row, kept in zip(logits.tolist(), found.tolist(), strict=True):
        expected = sorted(range(7), key=lambda id_: (-row[id_], id_))[:top_k]
        assert [id_ for id_ in range(7) if kept[id_] > 0] == sorted(expected)


@given(CLOSE, st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_top_p_keeps_the_smallest_set_whose_sum_reaches_p(
    logits: torch.Tensor, top_p: float
) -> None:
    whole = chances(logits, GenerationConfig(temperature=1))
    found = chances(logits, GenerationConfig(temperature=1, top_p=top_p))
    for row, kept in zip(whole.tolist(), found.tolist(), strict=True):
        ordered = sorted((Fraction(value) for value in row), reverse=True)
        sums = list(accumulate(ordered))
        assume(all(abs(value / sums[-1] - Fraction(top_p)) > 1e-12 for value in sums))
        needed = next(count + 1 for count in range(7) if sums[count] >= Fraction(top_p) * sums[-1])
        stayed = [row[id_] for id_ in range(7) if kept[id_] > 0]
        assert len(stayed) == needed
        assert min(stayed) >= max(set(row) - set(stayed), default=0)


@given(
    st.integers(0, 2**32 - 1).map(torch.Generator().manual_seed),
    st.integers(1, 400),
    st.sampled_from([1e-3, 0.1, 0.5, 0.9, 0.99, 1.0]),
    st.sampled_from([1, 4, 1000]),
)
def test_a_part_put_in_order_finds_what_a_stable_sort_does(
    generator: torch.Generator, top_k: int, top_p: float, steps: int
) -> None:
    """Many tokens, and many of them equally likely."""
    logits = (4 * steps * torch.rand(3, 400, generator=generator)).round().double() / steps
    # numpy's exponential: on some processors torch's is another one in its last digit.
    kept = torch.from_numpy(np.exp((logits - logits.amax(dim=1, keepdim=True)).numpy()))
    ordered, ids = kept.sort(dim=1, descending=True, stable=True)
    ordered[:, top_k:] = 0
    sums = ordered.cumsum(dim=1)
    if top_p < 1:
        assume(((sums / sums[:, -1:] - top_p).abs() > 1e-12).all())  # else rounding tells
        ordered[:, 1:].masked_fill_(sums[:, :-1] >= top_p * sums[:, -1:], 0)
    expected = torch.zeros_like(kept).scatter(1, ids, ordered)
    config = GenerationConfig(temperature=1, top_k=top_k, top_p=top_p)
    for row, wanted in zip(logits.numpy(), expected.numpy(), strict=True):
        assert np.array_equal(weights(row, config, np.array([], np.int64)), wanted)


@given(CLOSE, st.floats(0, 1))
def test_min_p_keeps_what_has_that_share_of_the_likeliest(
    logits: torch.Tensor, min_p: float
) -> None:
    whole = chances(logits, GenerationConfig(temperature=1))
    found = chances(logits, GenerationConfig(temperature=1, min_p=min_p))
    shares = whole / whole.amax(1, keepdim=True)
    assume(((shares - min_p).abs() > 1e-12).all() or min_p in (0, 1))
    assert torch.equal(found > 0, shares >= min_p)


@given(CLOSE, CONFIGS.filter(lambda config: config.temperature > 1e-3))
def test_what_stays_keeps_its_proportions(logits: torch.Tensor, config: GenerationConfig) -> None:
    found = chances(logits, config, recent=[2, 5])
    plain = chances(
        logits,
        GenerationConfig(
            temperature=config.temperature,
            repetition_penalty=config.repetition_penalty,
            repetition_window=config.repetition_window,
        ),
        recent=[2, 5],
    )
    stayed = plain.where(found > 0, 0.0)
    torch.testing.assert_close(found, stayed / stayed.sum(1, keepdim=True))


@given(CLOSE, st.floats(1, 5), st.lists(st.integers(0, 6), min_size=1, max_size=9))
def test_the_penalty_is_keskars_and_never_raises_a_logit(
    logits: torch.Tensor, penalty: float, recent: list[int]
) -> None:
    config = GenerationConfig(temperature=1, repetition_penalty=penalty, repetition_window=4)
    found = chances(logits, config, recent=recent)
    expected = logits.clone()
    for row in expected:
        for id_ in set(recent[-4:]):
            row[id_] = row[id_] / penalty if row[id_] > 0 else row[id_] * penalty
    assert (expected <= logits).all()
    torch.testing.assert_close(found, expected.softmax(1))


@given(LOGITS, CONFIGS)
def test_numbers_half_as_long_give_numbers(logits: torch.Tensor, config: GenerationConfig) -> None:
    """However hot or cold: float32 has no number as small as 5e-324, and none as great as 1e300."""
    excluded, recent = EXCLUDED.numpy(), np.array([4, 1])
    for row in logits.float().numpy():
        found = probabilities(row, config, excluded, recent)
        assert np.isfinite(found).all()
        assert found.sum() == pytest.approx(1)
        assert found[draw(found, 1 - 2**-53)] > 0


def test_frequencies_are_the_probabilities() -> None:
    wanted = np.array([0.0, 0.1, 0.2, 0.0, 0.7])
    drawn = [draw(wanted, place / 10_000) for place in range(10_000)]
    found = np.bincount(drawn, minlength=5) / 10_000
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-4)


def test_unknown_and_what_controls_a_terminal_is_excluded() -> None:
    controls = "\x00\x07\x08\t\r\x1b\x7f\x85\u00ad\u200b\u200e\u202e\u2028\u2066\ufeff\U000e0041"
    fine = "\n \u3000却，。ab1é龘😀"
    vocab = Vocab.build(make_story(200) + controls + fine)
    excluded = dict(zip(vocab.tokens, excluded_tokens(vocab).tolist(), strict=True))
    assert excluded[vocab.tokens[UNKNOWN_ID]]
    assert all(excluded[character] for character in controls)
    assert not any(excluded[character] for character in fine)
    assert sum(excluded.values()) == 1 + len(controls)
    with pytest.raises(TextgenError, match="no character that can be written"):
        excluded_tokens(Vocab.build("\x1b\x07\x1b"))
