from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import ROOT, make_model, make_story
from textgen.config import GenerationConfig
from textgen.errors import TextgenError, UsageError
from textgen.model.language_model import LanguageModel
from textgen.runs.folder import Run
from textgen.runs.trained import load
from textgen.text.vocab import UNKNOWN_ID, Vocab
from textgen.training.samples import decoder_of
from textgen.writing.beam import beam_search
from textgen.writing.decoder import Decoder
from textgen.writing.generation import continuation, write_several
from textgen.writing.network import State

TEXT = make_story(1500)
VOCAB = Vocab.build(TEXT)


def text(prefix: str = "老周", model: LanguageModel | None = None, **settings: float | None) -> str:
    config = GenerationConfig(**settings)  # type: ignore[arg-type]
    return "".join(continuation(decoder_of(model or make_model(len(VOCAB)), VOCAB), prefix, config))


def test_the_same_seed_writes_the_same_text() -> None:
    assert text(seed=1) == text(seed=1)
    assert text(seed=1) != text(seed=2)
    assert text(seed=None) != text(seed=None)
    assert text(temperature=0, seed=1) == text(temperature=0, seed=2)


def test_the_length_is_in_characters() -> None:
    assert len(text(length=7)) == 7
    vocab = Vocab.build(TEXT, "word")
    decoder = decoder_of(make_model(len(vocab)), vocab)
    texts = {
        length: "".join(continuation(decoder, "老周", GenerationConfig(length=length, seed=1)))
        for length in range(1, 21)
    }
    assert any(len(word) > 1 for word in vocab.split(texts[20]))
    assert texts == {length: texts[20][:length] for length in texts}


def test_a_longer_text_begins_like_the_shorter() -> None:
    assert text(seed=1, length=50).startswith(text(seed=1, length=20))


def test_the_state_is_warm_however_long_the_prefix() -> None:
    prefix = TEXT * 2  # more than one chunk
    ids = torch.from_numpy(VOCAB.encode(prefix))[None]
    model = make_model(len(VOCAB)).eval()
    with torch.no_grad():
        logits, _ = model(ids)
    logits[0, -1, 0] = -torch.inf
    assert text(prefix, model, temperature=0, length=1) == VOCAB.tokens[int(logits[0, -1].argmax())]


def test_unknown_characters_in_the_prefix_are_read_as_unknown() -> None:
    assert text("龘", seed=1) == text("靐", seed=1)


def test_what_is_excluded_never_comes_out_however_likely_it_is() -> None:
    model = make_model(len(VOCAB))
    with torch.no_grad():
        model.get_parameter("output.bias")[UNKNOWN_ID] = 1000
    unknown = VOCAB.tokens[UNKNOWN_ID]
    for settings in ({}, {"temperature": 0}, {"repetition_penalty": 2}, {"top_k": 3}):
        assert unknown not in text("龘", model, **settings)
    decoder = decoder_of(model, VOCAB)
    found = beam_search(decoder, decoder.read("龘"), GenerationConfig(length=9), 3)
    assert unknown not in found.text
    assert model.get_parameter("output.bias").isfinite().all()


def test_it_streams() -> None:
    stream = continuation(
        decoder_of(make_model(len(VOCAB)), VOCAB), "老周", GenerationConfig(length=10**9)
    )
    assert len([next(stream) for _ in range(5)]) == 5


def test_an_empty_prefix_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="--prefix is empty"):
        continuation(decoder_of(make_model(len(VOCAB)), VOCAB), "")


@pytest.fixture(scope="module")
def learned(sample_run: Run) -> Decoder:
    return Decoder.of(replace(load(sample_run.folder), learned=None))


def write(
    decoder: Decoder, samples: Iterable[int], prefix: str = "庞师傅", **settings: object
) -> dict[int, str]:
    config = GenerationConfig(**settings)  # type: ignore[arg-type]
    texts: dict[int, str] = {}
    for number, piece, _ in write_several(decoder, decoder.read(prefix), config, list(samples)):
        texts[number] = texts.get(number, "") + piece
    return texts


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 1.0},
        {"top_k": 20, "top_p": 0.95, "min_p": 0.02, "repetition_penalty": 1.2},
        {"temperature": 0.5, "sentences": 9, "stop": "老"},
    ],
)
def test_a_seed_gives_the_same_text_in_a_batch_of_any_size(
    learned: Decoder, settings: dict[str, Any]
) -> None:
    together = write(learned, range(70), seed=5, length=200, **settings)
    assert len(set(together.values())) > 65
    for samples in ([0], [1], [0, 1], range(7), range(64), [69, 3]):
        some = write(learned, samples, seed=5, length=200, **settings)
        assert some == {
            number: together[number] for number in sorted(samples, key=list(samples).index)
        }


def test_it_makes_no_difference_where_the_prefix_ends(learned: Decoder) -> None:
    """Reading at once, and in parts, gives the same text: so going on is as if read anew."""
    text = (ROOT / "corpus" / "sample.txt").read_text("utf-8")[:3000]
    whole = learned.read(text)
    parts = None
    for first in range(0, 3000, 700):
        parts = learned.read(text[first : first + 700], parts)
    config = GenerationConfig(seed=1, length=400)
    assert parts is not None
    one, other = (
        "".join(piece for _, piece, _ in write_several(learned, context, config, [0]))
        for context in (whole, parts)
    )
    assert one == other


def test_the_model_stays_as_it_is() -> None:
    model = make_model(len(VOCAB)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    text(model=model, length=5)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_later_text_comes_when_the_ones_before_it_have_ended(learned: Decoder) -> None:
    config = GenerationConfig(seed=2, length=500, sentences=2)
    pieces = list(write_several(learned, learned.read("庞"), config, range(5)))
    numbers = [number for number, _, _ in pieces]
    assert numbers == sorted(numbers)
    assert [ending.over for _, _, ending in pieces if ending.over] == ["sentences"] * 5


def test_the_repetition_penalty_is_felt(learned: Decoder) -> None:
    plain, penalised = (
        "".join(write(learned, range(4), seed=1, length=200, repetition_penalty=penalty).values())
        for penalty in (1.0, 3.0)
    )
    assert len(set(penalised)) > len(set(plain))


def test_a_model_of_no_numbers_is_refused() -> None:
    model = make_model(len(VOCAB))
    with torch.no_grad():
        model.get_parameter("output.bias").fill_(float("nan"))
    with pytest.raises(TextgenError, match="computes no numbers"):
        continuation(decoder_of(model, VOCAB), "老周")


def likeliest(decoder: Decoder, length: int) -> tuple[float, str]:
    """Try every text."""
    texts = {"": (0.0, decoder.read("老"))}
    for _ in range(length):
        longer = {}
        for before, (value, context) in texts.items():
            chances = torch.from_numpy(context.logits[0]).double().log_softmax(0)
            for id_, token in enumerate(decoder.vocab.tokens):
                if not decoder.excluded[id_]:
                    after = decoder.read_ids(np.array([[id_]], np.int32), context)
                    longer[before + token] = (value + float(chances[id_]), after)
        texts = longer
    return max((value, text) for text, (value, _) in texts.items())


def test_a_wide_beam_finds_the_likeliest_text() -> None:
    vocab = Vocab.build("老周在渡口")
    model = make_model(len(vocab))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    decoder = decoder_of(model, vocab)
    value, expected = likeliest(decoder, 4)
    found = beam_search(decoder, decoder.read("老"), GenerationConfig(length=4), 6**4)
    assert found.text == expected
    assert found.log_probability == pytest.approx(value)


def test_a_beam_of_one_takes_the_likeliest_token_and_a_wider_one_is_no_worse(
    learned: Decoder,
) -> None:
    context, config = learned.read("庞师傅"), GenerationConfig(length=40)
    narrow, wide = (beam_search(learned, context, config, width) for width in (1, 8))
    assert narrow.text == write(learned, [0], length=40, temperature=0)[0]
    assert wide.log_probability >= narrow.log_probability
    assert wide == beam_search(learned, context, config, 8)
    assert len(wide.text) == 40


def test_a_beam_ends_where_a_text_does(learned: Decoder) -> None:
    context = learned.read("庞师傅")
    sentence = beam_search(learned, context, GenerationConfig(sentences=1, length=90), 4)
    assert sentence.ending.over == "sentences"
    assert sentence.text.rstrip("”’」』）》")[-1] in "。！？"
    stopped = beam_search(learned, context, GenerationConfig(stop="，", length=90), 4)
    assert stopped.ending.over == "stop"
    assert "，" not in stopped.text


def test_of_a_long_prefix_what_is_forgotten_need_not_be_read(
    learned: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "corpus" / "sample.txt").read_text("utf-8")[:3000]
    whole = learned.read(text)
    read = list[int]()
    advance = learned.networks.advance

    def counted(ids: list[int], state: State) -> State:
        read.extend(ids)
        return advance(ids, state)

    monkeypatch.setattr("textgen.writing.decoder._MEMORY", 1024)
    monkeypatch.setattr(learned.networks, "advance", counted)
    end = learned.read(text)
    assert len(read) < 2000
    np.testing.assert_allclose(end.logits, whole.logits, rtol=0, atol=1e-4)


def test_what_is_not_forgotten_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(len(VOCAB))
    with torch.no_grad():  # gates that stay open: all that was read is in the memory
        for name, parameter in model.named_parameters():
            if name.startswith("rnn.bias_ih"):
                parameter[16:32] = 40.0
    decoder = decoder_of(model, VOCAB)
    whole = decoder.read(TEXT)
    monkeypatch.setattr("textgen.writing.decoder._MEMORY", 128)
    assert np.array_equal(decoder.read(TEXT).logits, whole.logits)


def test_what_goes_wrong_in_a_text_is_told(
    learned: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    context = learned.read("庞")
    monkeypatch.setattr(learned, "step", fail)
    with pytest.raises(ZeroDivisionError):
        list(write_several(learned, context, GenerationConfig(seed=1), range(3)))


def test_who_reads_on_no_more_stops_the_others(learned: Decoder) -> None:
    """Left in the middle, the texts that are written beside end, however long they would be."""
    config = GenerationConfig(seed=1, length=10**9)
    pieces = write_several(learned, learned.read("庞"), config, range(4))
    assert next(pieces)[0] == 0
    pieces.close()
