"""The server for those who know HTTP: who is answered, how it ends, and what it costs."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Command
from tests.processes import wait_for
from tests.serving.conftest import SECONDS, Served, serving
from textgen.config import GenerationConfig
from textgen.runs.trained import load
from textgen.writing.generation import generate

httpx = pytest.importorskip("httpx", reason="httpx is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is an extra: pip install '.[serve]'")

MUCH = {"prompt": "说", "n": 64, "max_tokens": 10_000, "stream": True}
"""Takes minutes."""


def error(answer: Any) -> tuple[int, str, str]:  # noqa: ANN401
    found = answer.json()["error"]
    return answer.status_code, found["code"], found["message"]


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "elsewhere.example:80", "192.0.2.1", "[", ""]
)
@pytest.mark.parametrize("path", ["", "v1/models"])
def test_who_asks_by_another_name_is_refused(served: Served, host: str, path: str) -> None:
    answer = httpx.get(f"{served.url}/{path}", headers={"Host": host})
    assert error(answer)[:2] == (421, "foreign_host")


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_its_own_names_are_answered(served: Served, name: str) -> None:
    for host in (name, f"{name}:{served.port}", f"{name}:1"):
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert httpx.get(f"{served.url}/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://elsewhere.example", "http://127.0.0.1:1", "null", "http://[", "file://"]
)
def test_a_page_of_another_site_is_refused(served: Served, origin: str) -> None:
    for method, path in (("GET", ""), ("POST", "v1/completions"), ("POST", "surprisal")):
        answer = httpx.request(
            method, f"{served.url}/{path}", headers={"Origin": origin}, json={"prompt": "说"}
        )
        assert error(answer)[:2] == (403, "foreign_origin")


@pytest.mark.parametrize("path", ["", "v1/models", "nowhere"])
def test_every_answer_forbids_what_is_elsewhere(served: Served, path: str) -> None:
    headers = httpx.get(f"{served.url}/{path}").headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


def test_other_routes_and_methods(served: Served) -> None:
    for path in ("v1/chat/completions", "v1", "page/page.js", "v1/completions/", "..%2fapp.py"):
        status, code, message = error(httpx.post(f"{served.url}/{path}", json={}))
        assert (status, code) == (404, "not_found")
        assert "POST /v1/completions" in message
    answer = httpx.get(f"{served.url}/v1/completions")
    assert error(answer)[:2] == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_other_kinds_of_body(served: Served) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = httpx.post(
            f"{served.url}/v1/completions", content=b"{}", headers={"Content-Type": kind}
        )
        assert answer.status_code == 415
        assert "it must be application/json" in error(answer)[2]


def test_a_large_body_is_refused(served: Served) -> None:
    large = b'{"prompt": "' + b"a" * 10_000_000 + b'"}'

    def pieces() -> Iterator[bytes]:  # sent without a length
        yield from (large[at : at + 65536] for at in range(0, len(large), 65536))

    for content in (large, pieces()):
        answer = httpx.post(
            f"{served.url}/v1/completions",
            content=content,
            headers={"Content-Type": "application/json"},
            timeout=SECONDS,
        )
        assert error(answer)[0] == 413
        assert "at most 1,048,576 bytes" in error(answer)[2]
    # One that only says so is refused before it comes.
    with socket.create_connection(("127.0.0.1", served.port), timeout=SECONDS) as connection:
        connection.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n"
            b"Content-Type: application/json\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_eight_at_once_all_end_and_each_as_if_alone(served: Served, runs: Path) -> None:
    def ask(seed: int) -> str:
        body = {"prompt": "庞师傅", "seed": seed, "max_tokens": 100, "stream": True}
        text = ""
        with httpx.stream(
            "POST", f"{served.url}/v1/completions", json=body, timeout=SECONDS
        ) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    text += json.loads(line.removeprefix("data: "))["choices"][0]["text"]
        return text

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    trained = load(runs / "learned")
    for seed, text in enumerate(found):
        config = GenerationConfig(seed=seed, length=100)
        assert text == "".join(generate(trained, "庞师傅", config))


def test_a_short_text_does_not_wait_for_a_long_one(served: Served) -> None:
    with httpx.stream("POST", f"{served.url}/v1/completions", json=MUCH, timeout=SECONDS) as long:
        lines = long.iter_lines()
        assert next(lines).startswith("data: {")
        short = {"prompt": "说", "max_tokens": 30}
        answer = httpx.post(f"{served.url}/v1/completions", json=short, timeout=SECONDS)
        assert answer.json()["usage"]["completion_tokens"] == 30
        assert "[DONE]" not in next(line for line in lines if line)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_at_once_and_quietly_whoever_waits(runs: Path, number: signal.Signals) -> None:
    with (
        serving(runs, "tiny") as server,
        socket.create_connection(("127.0.0.1", server.port)) as half,
        httpx.stream("POST", f"{server.url}/v1/completions", json=MUCH, timeout=SECONDS) as answer,
    ):
        half.sendall(
            b"POST /surprisal HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
            b"Content-Type: application/json\r\n\r\n"
        )
        lines = answer.iter_lines()
        assert next(lines).startswith("data: {")
        status, said = server.stop(number)
        assert status == 0
        assert said == (
            f"tiny is at {server.url} to write with, and for clients at {server.url}/v1\n"
            "Ctrl-C stops\n"
        )
        *_, last = (line for line in lines if line)
        assert json.loads(last.removeprefix("data: "))["error"]["code"] == "stopping"


def refused(command: Command, *arguments: str) -> str:
    status, out, err = command("serve", *arguments)
    assert (status > 0, out, err.count("\n")) == (True, "", 1)
    return err


def test_what_it_cannot_start_with_is_one_line(
    command: Command, runs: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = ("--checkpoints", str(runs))
    assert "there is no run nobody" in refused(command, "nobody", *here)
    said = refused(command, *here, "--port", str(served.port))
    assert said == f"textgen: port {served.port} is taken: give another --port\n"
    assert "--port is 65536" in refused(command, *here, "--port", "65536")
    assert "cannot listen on 192.0.2.1" in refused(command, *here, "--host", "192.0.2.1")
    shutil.copytree(runs / "tiny", "checkpoints/broken")
    for checkpoint in Path("checkpoints/broken").glob("*.safetensors"):
        checkpoint.write_bytes(b"")
    assert "is damaged" in refused(command, "broken")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "textgen.serving.server", raising=False)
    assert refused(command, *here) == (
        "textgen: starlette and uvicorn are not installed: pip install '.[serve]'\n"
    )


def test_a_run_that_broke_meanwhile_and_one_that_is_new(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "tiny", tmp_path / "tiny")
    with serving(tmp_path) as server:
        ask = {"prompt": "老", "seed": 1, "model": "new"}
        url = f"{server.url}/v1/completions"
        assert httpx.post(url, json=ask).status_code == 404
        shutil.copytree(runs / "learned", tmp_path / "new")
        first = httpx.post(url, json=ask, timeout=SECONDS).json()
        assert first["model"] == "new"
        for checkpoint in (tmp_path / "new").glob("*.safetensors"):
            checkpoint.write_bytes(b"no longer")
        answer = httpx.post(url, json=ask)
        assert answer.status_code == 500
        assert answer.json()["error"]["type"] == "server_error"
        assert "is damaged" in answer.json()["error"]["message"]
        assert httpx.post(url, json={"prompt": "老"}).json()["model"] == "tiny"


def test_another_address_is_told_of_and_only_numbers_lead_there(runs: Path) -> None:
    with serving(runs, "--host", "0.0.0.0") as server:  # noqa: S104 - that is what is told of
        assert server.said.startswith("WARNING: everybody who reaches 0.0.0.0 can write with every")
        assert server.url == f"http://127.0.0.1:{server.port}"
        own = socket.gethostname()
        for host, status in {"192.0.2.1": 200, own: 200, "elsewhere.example": 421}.items():
            answer = httpx.get(f"{server.url}/v1/models", headers={"Host": host})
            assert answer.status_code == status
        assert server.stop(signal.SIGTERM)[0] == 0


def test_the_page_is_opened(runs: Path, in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = in_folder / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened\n', encoding="utf-8")
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    with serving(runs, "--open") as server:
        wait_for(lambda: Path("opened").exists() and Path("opened").read_text("utf-8"))
        assert Path("opened").read_text("utf-8") == f"{server.url}\n"


def test_it_needs_no_torch(runs: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from textgen.serving import server\n"
        "from textgen.serving.models import Models\n"
        "models = Models(Path(sys.argv[1]), 'tiny')\n"
        "assert models.decoder(models.find(None)).mixer is not None\n"
        "assert not {'torch', 'visdom', 'jieba', 'plotly', 'tornado'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(runs)], check=True, env=os.environ)
