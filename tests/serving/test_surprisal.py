"""What a character costs: what it costs the writer to write it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import make_model, make_story
from tests.serving.conftest import SECONDS, Served
from textgen.config import GenerationConfig
from textgen.runs.trained import load
from textgen.serving.surprisal import surprisals
from textgen.text.vocab import Vocab
from textgen.writing.decoder import Decoder
from textgen.writing.generation import write_on
from textgen.writing.sampling import probabilities

httpx = pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is an extra: pip install '.[serve]'")

PREFIX = "庞师傅"


def ask(served: Served, **body: object) -> Any:  # noqa: ANN401
    return httpx.post(f"{served.url}/surprisal", json=body, timeout=SECONDS)


def test_a_text_costs_what_the_writer_drew_it_with(served: Served, runs: Path) -> None:
    decoder = Decoder.of(load(runs / "learned"))
    config = GenerationConfig(seed=1, length=40, temperature=1.0)
    context, text, expected = decoder.read(PREFIX), "", []
    for step in write_on(decoder, context, config):
        chances = probabilities(context.logits[0], config, decoder.excluded, context.recent[0])
        text += step.pieces[0]
        expected.append(-np.log2(chances[decoder.vocab[text[-1]]]))
        context = step.context
    answer = ask(served, prompt=PREFIX, text=text).json()
    assert answer["model"] == "learned"
    assert len(answer["bits"]) == len(PREFIX + text)
    np.testing.assert_allclose(answer["bits"][len(PREFIX) :], expected, atol=2e-3)
    # Without a prompt, what stands first is a line's beginning.
    alone = ask(served, text=PREFIX).json()["bits"]
    assert alone == answer["bits"][: len(PREFIX)]
    assert ask(served, prompt=PREFIX, model="learned").json()["bits"] == alone


def test_what_the_model_does_not_know_has_no_figure(served: Served) -> None:
    bits = ask(served, text="庞龘😀傅").json()["bits"]
    assert [one is None for one in bits] == [False, True, True, False]


def test_words_share_their_bits_out() -> None:
    text = make_story(1500)
    vocab = Vocab.build(text, "word")
    model = make_model(len(vocab))
    network = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    decoder = Decoder(network, "lstm", vocab)
    found = list(surprisals(decoder, "", text[:60]))
    assert [len(one) for one in found] == [len(token) for token in vocab.split(text[:60])]
    assert all(len(set(one)) == 1 for one in found)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "text is missing"),
        ({"text": ["庞"]}, "text is list: it must be a text"),
        ({"text": "庞" * 100_001}, "text has 100,001 characters"),
        ({"texts": "庞"}, "did you mean text?"),
    ],
)
def test_a_mistake_is_one_clear_error(
    served: Served, body: dict[str, object], message: str
) -> None:
    answer = ask(served, **body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
