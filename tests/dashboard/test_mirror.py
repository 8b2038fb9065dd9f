"""With a real Visdom server, in a process of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TINY, Command, copy_run, flags
from tests.processes import free_port, killing, wait_for
from textgen.dashboard.addresses import parse_address
from textgen.dashboard.mirror import MirrorThread
from textgen.dashboard.names import ALL_RUNS
from textgen.errors import UsageError
from textgen.plots.comparison import comparison_windows
from textgen.plots.run import of_run
from textgen.plots.window import thin
from textgen.runs.folder import Run
from textgen.runs.record import Entry
from textgen.runs.summary import Summary

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")


class Server:
    """Visdom's own server, without its downloads; its address stays when it is started anew."""

    def __init__(self, folder: Path, processes: ExitStack) -> None:
        self.folder = folder
        self._processes = processes
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, login: bool = False) -> None:
        credential = "{'username': 'a', 'password': hash_password('b')}" if login else "None"
        program = (
            "from textgen.dashboard.without_torch import without_torch\n"
            "with without_torch():\n"
            "    from visdom.server.run_server import start_server\n"
            "    from visdom.utils.server_utils import hash_password, set_cookie\n"
            "set_cookie('secret')\n"
            f"start_server(port={self.port}, bind_local=True, base_url='',"
            f" env_path={str(self.folder)!r}, user_credential={credential})"
        )
        self.folder.mkdir(exist_ok=True)
        (self.folder / ".visdom").mkdir(exist_ok=True)
        self.process = self._processes.enter_context(
            killing(
                subprocess.Popen(
                    [sys.executable, "-c", program],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, "HOME": str(self.folder)},  # where it keeps its cookie
                )
            )
        )
        wait_for(self.listens)

    def listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        self._processes.close()

    def traces(self, environment: str, key: str = "perplexity") -> dict[str, dict[str, Any]]:
        """Return what is drawn in a window, by the names of the lines."""
        data = json.dumps({"eid": environment, "win": key}).encode()
        request = urllib.request.Request(f"{self.url}/win_data", data)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            content = json.loads(response.read())["content"]
        return {trace["name"]: trace for trace in content["data"]}

    def names(self, environment: str, key: str) -> list[str]:
        """Return the names of the lines in a window; none where it is not drawn yet."""
        try:
            return list(self.traces(environment, key))
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def last(self, environment: str) -> float | None:
        """Return the last value of the training curve, if there is one."""
        try:
            value: float = self.traces(environment)["training"]["y"][-1]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return value


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with ExitStack() as processes:
        yield Server(tmp_path / "visdom", processes)


@pytest.fixture
def run(tiny_run: Run, in_folder: Path) -> Run:
    assert Path.cwd() == in_folder
    return copy_run(tiny_run, "drawn")


@pytest.fixture
def mirror(server: Server, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[MirrorThread]:
    monkeypatch.setattr("textgen.dashboard.mirror._SECONDS_BETWEEN_LOOKS", 0.1)
    monkeypatch.setattr("textgen.dashboard.mirror._LONGEST_BACK_OFF", 0.2)
    monkeypatch.setattr("textgen.dashboard.client._TIMEOUTS", (0.3, 0.3))
    thread = MirrorThread(server.url, run.folder.parent, lambda: [of_run(run)])
    yield thread
    thread.close()
    assert not thread.is_alive()


def append(run: Run, perplexity: float) -> Entry:
    """Record one more step, as a training does."""
    last = next(entry for entry in reversed(run.record.read()) if "perplexity" in entry)
    entry: Entry = {**last, "step": last["step"] + 1, "perplexity": perplexity}
    run.record.append(entry)
    return entry


def compared_key(run: Run) -> str:
    """Return the name of the window in which a run is compared by its epochs."""
    _, by_epochs, _ = comparison_windows([Summary.of(run)])
    return by_epochs.key


def test_training_draws_its_curve(command: Command, story: Path, server: Server) -> None:
    server.start()
    status, _, err = command(
        *("train", story, "--name", "drawn", "--visdom", server.url),
        *flags(**{**TINY, "epochs": 5}),
    )
    assert status == 0
    assert f"Drawing on Visdom: {server.url}" in err
    entries = Run(Path("checkpoints/drawn")).record.read()
    traces = server.traces("drawn")
    held_out = [entry for entry in entries if "held_out_perplexity" in entry]
    seen = " (100% in the training text)"  # so much does the story repeat itself
    curve = traces[f"held out{seen}"]
    assert curve["x"] == [entry["epoch"] for entry in held_out]
    assert curve["y"] == [entry["held_out_perplexity"] for entry in held_out]
    trained = [entry for entry in entries if "perplexity" in entry]
    assert traces["training"]["y"] == [entry["perplexity"] for entry in trained]
    assert traces["Kneser-Ney"]["line"]["dash"] == "dash"
    compared = server.traces(ALL_RUNS, compared_key(Run(Path("checkpoints/drawn"))))
    assert list(compared) == [f"drawn{seen}", "Kneser-Ney"]


def test_environment_and_window_are_called_as_asked(
    command: Command, story: Path, server: Server
) -> None:
    server.start()
    names = ("--visdom-env", "实验 1", "--visdom-window", "train ppl")
    status, _, err = command(
        *("train", story, "--name", "named", "--visdom", server.url, *names), *flags(**TINY)
    )
    assert status == 0, err
    entries = Run(Path("checkpoints/named")).record.read()
    trained = [entry["perplexity"] for entry in entries if "perplexity" in entry]
    assert server.traces("实验 1", "train ppl")["training"]["y"] == trained


def test_its_absence_costs_one_line(command: Command, story: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    status, _, err = command("train", story, "--visdom", url, *flags(**{**TINY, "epochs": 3}))
    assert status == 0
    assert err.count(url) == 1
    assert f"No Visdom at {url}" in err
    assert "Traceback" not in err


def test_a_frozen_server_does_not_keep_a_training(
    command: Command, story: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textgen.dashboard.client._TIMEOUTS", (0.3, 0.3))
    server.start()
    server.signal(signal.SIGSTOP)
    status, _, err = command(
        "train", story, "--visdom", server.url, *flags(**{**TINY, "epochs": 5})
    )
    assert status == 0
    assert "it does not answer in time" in err
    assert err.count("No Visdom at") == 1


def test_a_server_with_a_login_is_told_of(
    server: Server, run: Run, mirror: MirrorThread, caplog: pytest.LogCaptureFixture
) -> None:
    server.start(login=True)
    mirror.start()
    wait_for(lambda: "No Visdom at" in caplog.text)
    assert "it wants a login, which textgen does not support" in caplog.text
    assert run.record.read()


def test_nobody_asked_for_it(command: Command, story: Path) -> None:
    _, _, err = command("train", story, "--no-visdom", *flags(**TINY))
    assert "isdom" not in err


def test_absent_late_killed_restarted_frozen_and_thawed(
    server: Server, run: Run, mirror: MirrorThread, caplog: pytest.LogCaptureFixture
) -> None:
    mirror.start()
    wait_for(lambda: "No Visdom at" in caplog.text)
    server.start()  # late
    wait_for(lambda: server.last("drawn") is not None)
    append(run, 11.0)
    wait_for(lambda: server.last("drawn") == 11.0)
    server.kill()
    shutil.rmtree(server.folder)
    append(run, 12.0)
    wait_for(lambda: caplog.text.count("No Visdom at") == 2)
    server.start()  # anew, empty
    wait_for(lambda: server.last("drawn") == 12.0)
    append(run, 12.5)
    wait_for(lambda: server.last("drawn") == 12.5)
    server.signal(signal.SIGSTOP)
    append(run, 13.0)
    wait_for(lambda: "does not answer in time" in caplog.text)
    server.signal(signal.SIGCONT)
    wait_for(lambda: server.last("drawn") == 13.0)
    traces = server.traces("drawn")
    expected = [e["perplexity"] for e in run.record.read() if "perplexity" in e]
    assert traces["training"]["y"] == expected  # the whole curve
    assert caplog.text.count("No Visdom at") == 3  # one line an outage


def test_a_restart_that_nobody_saw_is_noticed(
    server: Server, run: Run, mirror: MirrorThread
) -> None:
    server.start()
    mirror.start()
    wait_for(lambda: server.last("drawn") is not None)
    server.kill()
    shutil.rmtree(server.folder)
    server.start()
    wait_for(lambda: server.last(run.name) is not None)  # though nothing new was recorded


def test_a_truncated_line_is_left_out_and_a_deleted_run_does_not_matter(
    server: Server, run: Run, mirror: MirrorThread, caplog: pytest.LogCaptureFixture
) -> None:
    server.start()
    before, key = append(run, 21.0), compared_key(run)
    with run.record.path.open("a", encoding="utf-8") as file:
        file.write('{"step": 99, "epoch": 9.9, "perpl')
    mirror.start()
    wait_for(lambda: server.last("drawn") == 21.0)
    assert server.traces("drawn")["training"]["x"][-1] == before["epoch"]
    wait_for(lambda: server.names(ALL_RUNS, key))
    shutil.rmtree(run.folder)
    wait_for(lambda: server.names(ALL_RUNS, key) == [])
    assert server.last("drawn") == 21.0  # what was drawn stays
    assert "No Visdom" not in caplog.text


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, "oops", "status 500"),
        (400, "", "wants a login"),
        (401, "", "wants a login"),
        (200, "<!doctype html><html></html>", "a web page, and no Visdom"),
    ],
)
@pytest.mark.usefixtures("run")
def test_what_answers_is_no_visdom(
    status: int, body: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{other.server_address[1]}"
        thread = MirrorThread(url, Path("checkpoints"), list)
        thread.start()
        wait_for(lambda: "No Visdom at" in caplog.text)
        thread.close()
        other.shutdown()
    assert reason in caplog.text
    assert "Traceback" not in caplog.text


def test_without_visdom_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, in_folder: Path
) -> None:
    monkeypatch.setitem(sys.modules, "visdom", None)  # it cannot be imported
    monkeypatch.delitem(sys.modules, "textgen.dashboard.client", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = MirrorThread(f"127.0.0.1:{listener.getsockname()[1]}", in_folder, list)
        thread.start()
        thread.join(60)
    assert not thread.is_alive()
    (message,) = caplog.messages
    assert message.endswith("no curves are drawn: pip install '.[visdom]'")


def test_a_proxy_is_not_asked_for_the_loopback(
    server: Server, run: Run, mirror: MirrorThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    server.start()
    mirror.start()
    wait_for(lambda: mirror._shown)
    monkeypatch.delenv("http_proxy")
    assert server.last(run.name) is not None


def test_windows_hold_a_thousand_points_no_nan_and_no_markup(run: Run) -> None:
    line = json.dumps(append(run, 5.0)) + "\n"
    run.record.path.write_text(
        run.record.path.read_text("utf-8")
        + 2500 * line
        + '{"step": 9000, "epoch": 90, "tokens": 1, "seconds": 1, "perplexity": Infinity,'
        ' "gradient_norm": NaN, "sample": "<script>alert(1)</script>"}\n',
        encoding="utf-8",
    )
    windows = of_run(run).windows(run.record.read())
    keys = [window.key for window in windows]
    assert keys == ["perplexity", "bits", "optimiser", "speed", "sample", "settings"]
    for window in windows:
        assert all(len(trace.get("y", [])) <= 1000 for trace in window.data)
        text = json.dumps([window.data, window.layout], allow_nan=False)
        assert "<script>" not in text
    training = windows[0].data[0]
    assert training["x"][-1] == 90
    assert training["y"][-1] is None
    assert thin([(float(i), 0.0) for i in range(3000)])[-1] == (2999.0, 0.0)


def test_addresses() -> None:
    for url in ("127.0.0.1", "http://127.0.0.1", "127.0.0.1:8097", "http://127.0.0.1:8097/"):
        assert parse_address(url).netloc == "127.0.0.1:8097"
    assert parse_address("http://[::1]:80").netloc == "[::1]:80"
    for url in ("", "http://", "http://host:port", "ftp://host"):
        with pytest.raises(UsageError, match="is no address"):
            parse_address(url)
