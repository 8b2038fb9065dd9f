import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_story
from textgen.config import GenerationConfig, ModelConfig
from textgen.errors import UsageError
from textgen.generation import generate, sample
from textgen.models import RNNModel
from textgen.vocab import Vocab

TEXT = make_story(1500)
VOCAB = Vocab.build(TEXT)


def make_model(vocab: Vocab = VOCAB) -> RNNModel:
    torch.manual_seed(0)
    return RNNModel(len(vocab), ModelConfig(embedding_size=8, hidden_size=16))


def text(prefix: str = "老周", model: RNNModel | None = None, **settings: float | None) -> str:
    config = GenerationConfig(**settings)  # type: ignore[arg-type]
    return "".join(generate(model or make_model(), VOCAB, prefix, config))


LOGITS = st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=9)


@given(LOGITS, st.sampled_from([0.0, 1e-6, 0.5, 1.0, 1e3]), st.integers(0, 99))
def test_unknown_never_comes_out(logits: list[float], temperature: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits[0] = 2e4
    assert 1 <= sample(torch.tensor(logits), temperature, generator) < len(logits)


@given(LOGITS)
def test_temperature_zero_is_argmax(logits: list[float]) -> None:
    token = sample(torch.tensor(logits), 0.0, torch.Generator())
    assert logits[token] == pytest.approx(max(logits[1:]), rel=1e-6)


def test_frequencies_are_the_softmax() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.tensor([9.0, 0.0, 1.0, 2.0])
    drawn = torch.tensor([sample(logits.clone(), 2.0, generator) for _ in range(4000)])
    found = torch.bincount(drawn, minlength=4)[1:] / len(drawn)
    torch.testing.assert_close(found, (logits[1:] / 2).softmax(0), rtol=0, atol=0.03)


def test_the_same_seed_writes_the_same_text() -> None:
    assert text(seed=1) == text(seed=1)
    assert text(seed=1) != text(seed=2)
    assert text(seed=None) != text(seed=None)
    assert text(temperature=0, seed=1) == text(temperature=0, seed=2)


def test_the_length_is_in_characters() -> None:
    assert len(text(length=7)) == 7
    vocab = Vocab.build(TEXT, "word")
    words = list(generate(make_model(vocab), vocab, "老周", GenerationConfig(length=20)))
    assert len("".join(words[:-1])) < 20 <= len("".join(words))


def test_a_longer_text_begins_like_the_shorter() -> None:
    assert text(seed=1, length=50).startswith(text(seed=1, length=20))


def test_the_state_is_warm_however_long_the_prefix() -> None:
    prefix = TEXT * 2  # more than one chunk
    ids = torch.from_numpy(VOCAB.encode(prefix))[None]
    model = make_model().eval()
    logits, _ = model(ids)
    logits[0, -1, 0] = -torch.inf
    assert text(prefix, model, temperature=0, length=1) == VOCAB.tokens[int(logits[0, -1].argmax())]


def test_unknown_characters_in_the_prefix_are_read_as_unknown() -> None:
    assert text("龘", seed=1) == text("靐", seed=1)


def test_it_streams() -> None:
    stream = generate(make_model(), VOCAB, "老周", GenerationConfig(length=10**9))
    assert len([next(stream) for _ in range(5)]) == 5
    assert not torch.is_inference_mode_enabled()


def test_an_empty_prefix_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="--prefix is empty"):
        generate(make_model(), VOCAB, "")
