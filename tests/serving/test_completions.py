"""The interface as clients know it: the real client, and a real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command
from tests.serving.conftest import SECONDS, Served
from textgen.config import GenerationConfig
from textgen.runs.trained import load
from textgen.writing.decoder import Decoder
from textgen.writing.generation import generate, write_on, write_several

httpx = pytest.importorskip("httpx", reason="httpx is not installed")
openai = pytest.importorskip("openai", reason="openai is not installed")

PREFIX = "庞师傅"


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[Any]:
    with openai.OpenAI(
        base_url=f"{served.url}/v1", api_key="none", timeout=SECONDS, max_retries=0
    ) as client:
        yield client


def samples(folder: Path, prefix: str, count: int, **settings: Any) -> list[str]:  # noqa: ANN401
    """Return what `generate` writes."""
    decoder = Decoder.of(load(folder))
    texts = [""] * count
    config = GenerationConfig(**settings)
    for number, piece, _ in write_several(decoder, decoder.read(prefix), config, range(count)):
        texts[number] += piece
    return texts


def test_a_seed_writes_what_the_command_line_writes(
    client: Any,  # noqa: ANN401
    runs: Path,
    command: Command,
) -> None:
    drawn = ("--seed", "7", "--length", "30", "--temperature", "0.9", "--top-k", "20")
    _, out, _ = command(
        "generate", runs / "learned", "--prefix", PREFIX, *drawn, "--samples", "3", "--json"
    )
    expected = [sample["text"] for sample in json.loads(out)["samples"]]
    asked = {"seed": 7, "max_tokens": 30, "temperature": 0.9, "extra_body": {"top_k": 20}}
    found = client.completions.create(model="learned", prompt=PREFIX, n=3, **asked)
    assert [choice.text for choice in found.choices] == expected
    assert [choice.index for choice in found.choices] == [0, 1, 2]
    assert {choice.finish_reason for choice in found.choices} == {"length"}
    assert found.seed == 7
    usage = found.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 90, 93)
    # The same text for a prompt alone, and among others.
    several = client.completions.create(model="", prompt=["老", PREFIX], n=2, **asked)
    assert [choice.text for choice in several.choices[2:]] == expected[:2]
    assert (
        several.choices[0].text
        == samples(runs / "learned", "老", 1, seed=7, length=30, temperature=0.9, top_k=20)[0]
    )


@pytest.mark.parametrize("n", [1, 3])
def test_a_stream_comes_to_the_same(client: Any, n: int) -> None:  # noqa: ANN401
    asked = {"model": "learned", "prompt": PREFIX, "n": n, "seed": 3, "max_tokens": 20}
    whole = client.completions.create(**asked, stop="，")
    texts = [""] * n
    finishes: list[list[str | None]] = [[] for _ in texts]
    usages = []
    ids = set()
    options = {"include_usage": True}
    for piece in client.completions.create(**asked, stop="，", stream=True, stream_options=options):
        ids.add((piece.id, piece.created, piece.model, piece.object))
        for choice in piece.choices:
            texts[choice.index] += choice.text
            finishes[choice.index].append(choice.finish_reason)
        usages.append(piece.usage)
    assert texts == [choice.text for choice in whole.choices]
    for reasons, choice in zip(finishes, whole.choices, strict=True):
        assert reasons == [None] * (len(reasons) - 1) + [choice.finish_reason]
    assert usages == [None] * (len(usages) - 1) + [whole.usage]
    assert len(ids) == 1
    assert len(usages) > 3


def test_a_text_ends_before_the_first_of_its_stop_texts(client: Any, runs: Path) -> None:  # noqa: ANN401
    text = "".join(generate(load(runs / "learned"), PREFIX, GenerationConfig(seed=5, length=60)))
    asked = {"model": "learned", "prompt": PREFIX, "seed": 5, "max_tokens": 60}
    late, early = text[40:43], text[12:14]
    for stop in (early, [early], [late, early], [late, "没有这样的话", early]):
        choice = client.completions.create(**asked, stop=stop).choices[0]
        assert (choice.text, choice.finish_reason) == (text[: text.index(early)], "stop")
    choice = client.completions.create(**asked, stop=["没有这样的话"]).choices[0]
    assert (choice.text, choice.finish_reason) == (text, "length")


def test_what_is_left_out(client: Any, runs: Path) -> None:  # noqa: ANN401
    found = client.completions.create(model="tiny", prompt="老周")
    text = found.choices[0].text
    assert (found.model, len(text), found.usage.completion_tokens) == ("tiny", 16, 16)
    # The seed is drawn and told; all else is as `generate` has it.
    assert [text] == samples(runs / "tiny", "老周", 1, seed=found.seed, length=16)
    again = client.completions.create(model="tiny", prompt="老周", seed=found.seed)
    assert again.choices[0].text == text
    assert found.unknown == []


def test_the_prompt_before_the_text_and_what_of_it_is_not_known(client: Any) -> None:  # noqa: ANN401
    asked = {"model": "learned", "prompt": ["龘庞龘", "说"], "n": 2, "echo": True, "seed": 1}
    found = client.completions.create(**asked)
    assert found.unknown == ["龘"]
    assert [choice.text[: 3 if choice.index < 2 else 1] for choice in found.choices] == [
        *("龘庞龘", "龘庞龘", "说", "说")
    ]
    assert found.usage.prompt_tokens == 4
    assert found.usage.completion_tokens == 4 * 16
    texts = [""] * 4
    for piece in client.completions.create(**asked, stream=True):
        texts[piece.choices[0].index] += piece.choices[0].text
    assert texts == [choice.text for choice in found.choices]


def test_going_on_is_as_writing_at_one_go_but_for_the_numbers_drawn(
    client: Any,  # noqa: ANN401
    runs: Path,
) -> None:
    decoder = Decoder.of(load(runs / "learned"))
    config = GenerationConfig(temperature=0, length=40)
    text = "".join(step.pieces[0] for step in write_on(decoder, decoder.read(PREFIX), config))
    asked = {"model": "learned", "prompt": PREFIX, "temperature": 0, "max_tokens": 20}
    first = client.completions.create(**asked)
    assert first.choices[0].text == text[:20]
    second = client.completions.create(**asked, echo=True, extra_body={"written": text[:20]})
    assert second.choices[0].text == PREFIX + text
    assert second.usage.prompt_tokens == len(PREFIX) + 20


def test_what_changes_nothing_is_taken(client: Any) -> None:  # noqa: ANN401
    asked = {"model": "learned", "prompt": "说", "seed": 1}
    plain = client.completions.create(**asked)
    more = client.completions.create(
        **asked, n=1, best_of=1, frequency_penalty=0, presence_penalty=0.0, logit_bias={},
        logprobs=None, suffix="", user="somebody", stop=[],
        extra_body={"top_k": None, "min_p": 0, "repetition_penalty": 1},
    )  # fmt: skip
    assert more.choices == plain.choices


def test_the_models_are_the_runs_the_usual_one_first(client: Any, served: Served) -> None:  # noqa: ANN401
    models = client.models.list().data
    assert [model.id for model in models] == ["learned", "tiny"]
    assert client.models.retrieve("tiny") == models[1]
    newest = max(
        (served.root / "tiny").glob("*.safetensors"), key=lambda path: path.stat().st_mtime
    )
    assert models[1].created == int(newest.stat().st_mtime)


@pytest.mark.parametrize("name", ["nobody", "../learned", ".", "learned/"])
def test_no_other_model_can_be_named(client: Any, name: str) -> None:  # noqa: ANN401
    with pytest.raises(openai.NotFoundError) as refused:
        client.completions.create(model=name, prompt="说")
    assert refused.value.code == "model_not_found"
    assert refused.value.param == "model"
    assert f"there is no model {name}; there are: learned, tiny" in refused.value.message


MISTAKES: list[tuple[dict[str, Any], str | None, str]] = [
    ({}, "prompt", "prompt is missing"),
    ({"prompt": None}, "prompt", "prompt is missing"),
    ({"prompt": ""}, "prompt", "prompt is empty"),
    ({"prompt": ["说", ""]}, "prompt", "prompt is empty"),
    ({"prompt": [1, 2]}, "prompt", "prompt is list: it must be a text or a list of texts"),
    ({"prompt": "说" * 100_001}, "prompt", "prompt has 100,001 characters: it must have at most"),
    ({"prompt": ["说"] * 65}, "n", "n is 1 for 65 prompts: at most 64 texts in all"),
    ({"max_tokens": 0}, "max_tokens", "max_tokens is 0: it must be a whole number between 1 and"),
    ({"max_tokens": 10_001}, "max_tokens", "between 1 and 10,000"),
    ({"max_tokens": 1.5}, "max_tokens", "max_tokens is 1.5"),
    ({"max_tokens": True}, "max_tokens", "max_tokens is True"),
    ({"n": 65}, "n", "n is 65: it must be a whole number between 1 and 64"),
    ({"written": "完", "prompt": ["说", "老"]}, "written", "from one prompt, and there are 2"),
    ({"n": 33, "prompt": ["说", "老"]}, "n", "n is 33 for 2 prompts"),
    ({"temperature": -1}, "temperature", "temperature is -1.0: it must be at least 0, finite"),
    ({"temperature": "hot"}, "temperature", "temperature is str: it must be a number"),
    ({"temperature": 10**400}, "temperature", "it must be a smaller number"),
    ({"top_p": 0}, "top_p", "top_p is 0.0: it must be above 0, at most 1"),
    ({"top_k": 0}, "top_k", "top_k is 0: it must be at least 1"),
    ({"top_k": 1.5}, "top_k", "top_k is 1.5: it must be a whole number"),
    ({"min_p": 2}, "min_p", "min_p is 2.0: it must be between 0 and 1"),
    ({"repetition_penalty": 0}, "repetition_penalty", "repetition_penalty is 0.0"),
    ({"seed": -1}, "seed", "seed is -1: it must be at least 0, below 2^62"),
    ({"stop": ["一", "二", "三", "四", "五"]}, "stop", "stop has 5 texts"),
    ({"stop": ""}, "stop", "a stop text must have 1 to 1,000 characters"),
    ({"stop": 1}, "stop", "stop is 1: it must be a text or a list of texts"),
    ({"stream": "yes"}, "stream", "stream is str: it must be true or false"),
    ({"stream_options": 1}, "stream_options", "stream_options must be a JSON object"),
    ({"stream_options": {"include": 1}}, "stream_options.include", "did you mean include_usage?"),
    ({"model": 1}, "model", "model is 1: it must be a text"),
    ({"logprobs": 3}, "logprobs", "logprobs is not served here: leave it out; POST /surprisal"),
    ({"best_of": 2}, "best_of", "best_of is not served here"),
    ({"presence_penalty": 1}, "presence_penalty", "there is repetition_penalty instead"),
    ({"logit_bias": {"5": 1}}, "logit_bias", "logit_bias is not served here"),
    ({"suffix": "完"}, "suffix", "suffix is not served here"),
    ({"max_token": 5}, "max_token", "max_token is not known: did you mean max_tokens?"),
    ({"messages": []}, "messages", "messages is not known: leave it out"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "param", "message"), MISTAKES)
def test_a_mistake_is_one_clear_error(
    served: Served, body: dict[str, Any], param: str | None, message: str
) -> None:
    defaults = {} if body == {} else {"prompt": "说"}
    answer = httpx.post(
        f"{served.url}/v1/completions", content=json.dumps(defaults | body), headers=JSON
    )
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert message in error["message"]
    assert "\n" not in error["message"]


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'{"prompt": "\xff"}', "not JSON in UTF-8"),
        (b'{"prompt": "\\ud800"}', "not JSON in UTF-8"),
        (b'{"temperature": NaN}', "NaN is not JSON"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'"text"', "the body must be a JSON object"),
    ],
)
def test_what_is_not_json(served: Served, body: bytes, message: str) -> None:
    for path in ("v1/completions", "surprisal"):
        answer = httpx.post(f"{served.url}/{path}", content=body, headers=JSON)
        assert answer.status_code == 400
        assert message in answer.json()["error"]["message"]
