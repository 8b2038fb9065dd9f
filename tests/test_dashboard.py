"""With a real Visdom server, in a process of its own."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TINY, Command, flags
from textgen.checkpoint import Run

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    program = (
        "from visdom.server.run_server import start_server\n"
        f"start_server(port={port}, bind_local=True, base_url='', env_path={str(tmp_path)!r})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


def window(url: str, env: str, name: str) -> dict[str, Any]:
    data = json.dumps({"eid": env, "win": name}).encode()
    with urllib.request.urlopen(f"{url}/win_data", data, timeout=10) as response:  # noqa: S310
        content: dict[str, Any] = json.loads(response.read())
    return content


def test_the_curve_is_on_the_server(command: Command, story: Path, server: str) -> None:
    status, _, err = command(
        *("train", story, "--name", "drawn", "--visdom", server, *flags(**{**TINY, "epochs": 30}))
    )
    assert status == 0
    assert f"Drawing on Visdom: {server}/env/drawn" in err
    entries = Run(Path("checkpoints/drawn")).record.read()
    traces = {
        trace["name"]: trace for trace in window(server, "drawn", "perplexity")["content"]["data"]
    }
    held_out = [entry for entry in entries if "held_out_perplexity" in entry]
    assert traces["held out"]["x"] == [entry["epoch"] for entry in held_out]
    assert traces["held out"]["y"] == [entry["held_out_perplexity"] for entry in held_out]
    trained = [entry for entry in entries if "perplexity" in entry]
    assert traces["train"]["y"][-1] == trained[-1]["perplexity"]


def test_its_absence_costs_one_line(command: Command, story: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    status, _, err = command("train", story, "--visdom", url, *flags(**{**TINY, "epochs": 20}))
    assert status == 0
    assert err.count(url) == 1
    assert f"No Visdom at {url}" in err
    assert "Traceback" not in err


def test_nobody_asked_for_it(command: Command, story: Path) -> None:
    _, _, err = command("train", story, "--no-visdom", *flags(**TINY))
    assert "isdom" not in err
