"""The monitor as a user has it: a real process, a real training, a real browser."""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import TINY, Command, copy_run, flags
from tests.pages import Watched
from tests.processes import MOST_SECONDS, free_port, killing, wait_for
from textgen.dashboard.monitor import list_subjects
from textgen.runs.folder import Run

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")


class Monitor:
    """A monitor that has drawn every run there is."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        assert process.stderr is not None
        self.said = ""
        while "Drawing on Visdom" not in self.said:
            line = process.stderr.readline()
            assert line, self.said
            self.said += line
        wait_for(lambda: self.has("main", "newest-settings"))  # drawn after all others

    def has(self, environment: str, key: str) -> bool:
        return self.post("win_exists", {"eid": environment, "win": key}) == "true"

    def post(self, path: str, body: object) -> str:
        request = urllib.request.Request(f"{self.url}/{path}", json.dumps(body).encode())  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            answer: bytes = response.read()
        return answer.decode()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=30)
        self.said += rest
        return self.process.returncode


@pytest.fixture
def run(tiny_run: Run, in_folder: Path) -> Run:
    assert Path.cwd() == in_folder
    return copy_run(tiny_run, "watched")


@contextmanager
def monitoring(*arguments: str) -> Iterator[Monitor]:
    port = free_port()
    command = [sys.executable, "-m", "textgen", "monitor", "--port", str(port), *arguments]
    with killing(
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    ) as process:
        yield Monitor(process, port)


@pytest.fixture
def monitor(run: Run) -> Iterator[Monitor]:
    assert run.folder.exists()
    with monitoring() as monitor:
        yield monitor


def saved(environment: str) -> dict[str, object]:
    path = Path("checkpoints/.visdom") / f"{environment}.json"
    windows: dict[str, object] = json.loads(path.read_text("utf-8"))["jsons"]
    return windows


def test_a_browser_sees_the_run(
    monitor: Monitor, run: Run, watch: Callable[[str], Watched]
) -> None:
    entries = run.record.read()
    last = [entry for entry in entries if "perplexity" in entry][-1]
    watched = watch(monitor.url)
    page = watched.page
    page.goto(monitor.url)  # opens on the newest run, beside the table of all
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length == 4")
    assert page.inner_text(".content-text table").split()[:4] == [
        *("run", "bits", "parameters", "minutes")
    ]
    assert page.evaluate("document.documentElement.lang") == "en"
    page.click(".content-text a >> text=watched")
    page.wait_for_url(f"{monitor.url}/env/watched")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length == 4")
    value = page.evaluate(
        "[...document.querySelectorAll('.js-plotly-plot')]"
        ".map(plot => plot.data.find(trace => trace.name == 'training'))"
        ".find(trace => trace).y.at(-1)"
    )
    shown = re.sub(r"\s", "", page.inner_text("body"))
    assert value == last["perplexity"]
    assert re.sub(r"\s", "", last["sample"]) in shown
    assert "hidden_size16" in shown
    assert (watched.outside, watched.errors) == ([], [])


def test_it_draws_a_live_training_saves_and_stops(
    monitor: Monitor, command: Command, story: Path
) -> None:
    command("train", story, "--name", "live", "--no-visdom", *flags(**TINY))
    wait_for(lambda: Path("checkpoints/live/best.safetensors").exists())
    wait_for(lambda: monitor.has("live", "settings"))
    assert monitor.stop() == 0
    keys = ["perplexity", "bits", "optimiser", "speed", "sample", "settings"]
    assert list(saved("watched")) == list(saved("live")) == keys
    table, *curves = saved("all-runs")
    assert table == "runs"
    assert [key.rpartition("-")[0] for key in curves] == ["held-out-epochs", "held-out-minutes"]
    assert "Traceback" not in monitor.said


def test_what_is_gone_goes_also_where_it_went_in_between(monitor: Monitor, run: Run) -> None:
    copy_run(run, "gone + soon")
    copy_run(run, "gone later")
    for environment in ("gone ＋ soon", "gone later"):
        wait_for(partial(monitor.has, environment, "settings"))
    monitor.post("fork_env", {"prev_eid": "gone later", "eid": "copied"})
    shutil.rmtree("checkpoints/gone + soon")
    wait_for(lambda: not monitor.has("gone ＋ soon", "settings"))
    assert monitor.stop() == 0
    assert "No Visdom" not in monitor.said
    shutil.rmtree("checkpoints/gone later")
    with monitoring() as second:
        wait_for(lambda: not second.has("gone later", "settings"))
        there = json.loads(second.post("env_state", {}))
        assert sorted(there) == ["all-runs", "copied", "main", "watched"]
        assert second.stop() == 0
    assert not list(Path("checkpoints/.visdom").glob("gone*"))


def test_a_training_finds_the_monitor_of_its_folder(
    monitor: Monitor, command: Command, story: Path
) -> None:
    train = ("train", story, *flags(**TINY))
    _, _, err = command(*train, "--name", "found")
    assert f"Drawing on Visdom: {monitor.url}\n" in err
    assert "textgen monitor" not in err
    wait_for(lambda: monitor.has("found", "settings"))
    _, _, err = command(*train, "--name", "named", "--visdom-env", "my own")
    assert f"Drawing on Visdom: {monitor.url}\n" in err
    assert monitor.has("my own", "settings")
    monitor.stop(signal.SIGKILL)  # it takes nothing back
    assert list(Path("checkpoints/.visdom").glob("address-*"))
    for name, flag in (("alone", ()), ("alone too", ("--visdom-env", "my own"))):
        _, _, err = command(*train, "--name", name, *flag)
        assert "Visdom" not in err
        assert err.count("textgen monitor") == 1  # one hint, at its end
        assert err.rstrip().endswith(f"textgen report {shlex.quote(name)}")


def test_two_monitors_on_one_folder_and_ctrl_c_saves_too(monitor: Monitor) -> None:
    with monitoring() as second:
        assert monitor.stop() == 0
        for file in Path("checkpoints/.visdom").glob("*.json"):
            file.unlink()
        assert second.stop(signal.SIGINT) == 0
    assert len(saved("watched")) == 6


def test_a_taken_port_is_one_line(monitor: Monitor) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "textgen", "monitor", "--port", str(monitor.port)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=MOST_SECONDS,
    )
    assert (second.returncode, second.stdout, second.stderr.count("\n")) == (1, "", 1)
    assert second.stderr.startswith("textgen: ")
    assert f"port {monitor.port} is taken" in second.stderr
    assert "a Visdom is" in second.stderr


def test_the_page_is_opened_and_a_closed_terminal_saves_too(
    run: Run, in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = in_folder / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened\n', encoding="utf-8")
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    with monitoring("--open") as monitor:
        wait_for(lambda: Path("opened").exists() and Path("opened").read_text("utf-8"))
        assert Path("opened").read_text("utf-8") == f"{monitor.url}\n"
        assert monitor.stop(signal.SIGHUP) == 0
    assert saved(run.name)


def test_what_is_no_run_is_left_out(run: Run) -> None:
    contents = {
        "cut": '{"settings": {',
        "empty": "",
        "another": "[]",
        "number": '{"settings": 5}',
        "deep": "[" * 100_000,
    }
    for name, content in contents.items():
        (run.folder.parent / name).mkdir()
        (run.folder.parent / name / "config.json").write_text(content, encoding="utf-8")
    assert [subject.name for subject in list_subjects(run.folder.parent)] == ["watched", "sanity"]


def test_another_address_is_a_loud_warning(run: Run) -> None:
    assert run.folder.exists()
    with monitoring("--host", "0.0.0.0") as monitor:  # noqa: S104 - that is what is warned of
        assert monitor.stop() == 0
    assert "WARNING" in monitor.said
    assert f"Visdom is at {monitor.url}/?token=" in monitor.said
    assert f"ssh -N -L {monitor.port}:127.0.0.1:{monitor.port}" in monitor.said


def test_with_a_token_it_asks_everybody_and_draws_all_the_same(
    run: Run, command: Command, story: Path
) -> None:
    port = free_port()
    arguments = ("monitor", "--token", "--port", str(port))
    with killing(
        subprocess.Popen(
            [sys.executable, "-m", "textgen", *arguments],
            stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )
    ) as process:  # fmt: skip
        assert process.stderr is not None
        url = process.stderr.readline().split()[-1]
        assert re.fullmatch(rf"http://127\.0\.0\.1:{port}/\?token=[\w-]{{32}}", url)
        visdom = ("--visdom", url.partition("?")[0])
        status, _, err = command("train", story, "--name", "live", *visdom, *flags(**TINY))
        assert status == 0
        assert "Drawing on Visdom" in err
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said
    assert list(saved("live")) == list(saved(run.name))
