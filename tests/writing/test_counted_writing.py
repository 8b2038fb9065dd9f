"""Writing with counts: a seed is as good as without, and the model does not learn from itself."""

import numpy as np
import pytest

from tests.conftest import make_story
from textgen.config import GenerationConfig
from textgen.runs.folder import Run
from textgen.runs.trained import load
from textgen.text.vocab import UNKNOWN_ID
from textgen.writing.decoder import Context, Decoder
from textgen.writing.generation import write_on

PREFIX = make_story(300, seed=5)


@pytest.fixture(scope="module")
def decoder(tiny_run: Run) -> Decoder:
    return Decoder.of(load(tiny_run.folder))


def write(decoder: Decoder, samples: list[int], length: int = 40) -> dict[int, str]:
    texts = dict.fromkeys(samples, "")
    config = GenerationConfig(seed=3, length=length)
    for step in write_on(decoder, decoder.read(PREFIX), config, samples):
        for sample, piece in zip(step.samples, step.pieces, strict=True):
            texts[sample] += piece
    return texts


def given(context: Context) -> list[int]:
    assert context.given is not None
    return list(map(int, context.given.tokens))


def test_a_seed_writes_the_same_text_alone_and_among_many(decoder: Decoder) -> None:
    together = write(decoder, list(range(66)))
    assert len(set(together.values())) > 30
    for number in (0, 5, 65):
        assert write(decoder, [number]) == {number: together[number]}


def test_what_comes_is_a_distribution_without_what_must_not_come(decoder: Decoder) -> None:
    context = decoder.read(PREFIX)
    assert np.isneginf(context.logits[0, UNKNOWN_ID])
    assert 0.9 < float(np.exp(context.logits).sum()) <= 1 + 1e-6


def test_what_a_person_gave_counts_as_read(decoder: Decoder) -> None:
    vocab = decoder.vocab
    first = decoder.read("老周在渡口")
    assert given(first) == vocab.encode("老周在渡口").tolist()
    second = decoder.read("。“好！”", first)
    # What stands between the two may be the model's own.
    assert given(second) == [*given(first), UNKNOWN_ID, *vocab.encode("。“好！”").tolist()]
    assert decoder.read("", second) is second


def test_what_the_model_wrote_does_not(decoder: Decoder) -> None:
    context = decoder.read("老周在渡口")
    ids = decoder.vocab.encode("修好了")[None]
    followed = decoder.follow("修好了", context)
    for after in (followed, decoder.read_ids(ids, context), decoder.read_ids(ids[:, :1], context)):
        assert after.given is context.given
    _, after = decoder.step(context, GenerationConfig(), [0.5])
    assert after.given is context.given
    again = decoder.read("修好了", context)
    assert not np.array_equal(again.logits, followed.logits)


def test_a_step_at_a_time_is_as_all_at_once(decoder: Decoder) -> None:
    context = decoder.read(PREFIX)
    ids = decoder.vocab.encode("姑娘在镇上修好了收音机")[None]
    at_once = decoder.read_ids(ids, context)
    for column in np.split(ids, ids.shape[1], axis=1):
        context = decoder.read_ids(column, context)
    assert np.array_equal(context.logits, at_once.logits)
