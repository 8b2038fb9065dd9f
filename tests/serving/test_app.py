"""The application without a server, where what cannot go wrong from outside can be made to."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from textgen.errors import TextgenError

pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is an extra: pip install '.[serve]'")

import httpx

from textgen.serving import app
from textgen.serving.models import Models
from textgen.serving.turns import Turns
from textgen.serving.work import Written


def ask(runs: Path, **body: object) -> tuple[int, str]:
    """Return the status of a completion's answer, and what it says."""

    async def run() -> tuple[int, str]:
        application = app.make_app(Models(runs, "tiny"), Turns(), ("127.0.0.1",))
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post("/v1/completions", json={"prompt": "老", **body})
            return answer.status_code, answer.text

    return asyncio.run(run())


def raising(error: Exception) -> object:
    def write(*_: object) -> Iterator[Written]:
        yield Written(0, "")
        yield Written(0, "一")
        raise error

    return write


def test_what_goes_wrong_in_the_middle_of_a_stream_ends_it(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "write", raising(TextgenError("the disk is gone")))
    status, text = ask(runs, stream=True)
    *_, before, last = (json.loads(line[6:]) for line in text.splitlines() if line)
    assert status == 200
    assert before["choices"][0]["text"] == "一"
    assert last["error"]["message"] == "the disk is gone"
    assert ask(runs)[0] == 500


def test_a_mistake_of_the_programs_is_told_as_one(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "write", raising(ZeroDivisionError("inside")))
    status, text = ask(runs)
    assert status == 500
    assert json.loads(text)["error"]["type"] == "server_error"
    assert "inside" not in text
