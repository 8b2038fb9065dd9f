import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.processes import killing, wait_for
from textgen import processes
from textgen.errors import TextgenError, UsageError
from textgen.processes import in_processes
from textgen.text.cutters import cut_piece


def test_every_answer_comes_in_order() -> None:
    texts = ["天地" * number for number in range(20)]
    assert list(in_processes(cut_piece, texts, 3)) == list(map(cut_piece, texts))
    assert list(in_processes(cut_piece, [], 3)) == []


def told(reason: str) -> str:
    print("on its way")
    if reason == "error":
        raise UsageError("--name is {name}: choose another one", name=reason)
    if reason == "file":
        Path("/nowhere/at/all").read_bytes()
    if reason == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return reason


def test_what_is_raised_there_is_raised_here() -> None:
    answers = in_processes(told, ["right", "error"], 2)
    assert next(answers) == "right"
    with pytest.raises(UsageError, match="--name is error: choose another one"):
        next(answers)
    with pytest.raises(FileNotFoundError):
        list(in_processes(told, ["file"], 1))


@pytest.mark.parametrize("code", ["", "import sys; sys.stdin.buffer.read(10)", "print('[[')"])
def test_a_process_that_ends_by_itself_is_told(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr("textgen.processes._CODE", code)
    with pytest.raises(TextgenError, match="a process that worked on the text was killed"):
        list(in_processes(cut_piece, ["天地" * 100_000] * 5, 2))


def test_one_that_is_killed_is_told() -> None:
    with pytest.raises(TextgenError, match="a process that worked on the text was killed"):
        list(in_processes(told, ["right", "killed", "right"], 2))


def test_one_that_was_never_told_what_to_do_ends_quietly() -> None:
    """Who is stopped while it starts them has nothing more to say to them."""
    command = [sys.executable, "-c", processes._CODE]
    ended = subprocess.run(command, input=b"", capture_output=True, check=True)
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_who_stops_listening_ends_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    answers = in_processes(time.sleep, [0.0, 1000.0, 1000.0, 1000.0, 1000.0, 1000.0], 2)
    assert next(answers) is None
    answers.close()
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


SCRIPT = """
import sys, textgen.processes as p
from textgen.text.cutters import cut_piece
print(*p.in_processes(len, ["a", "bc"], 2), flush=True)
for _ in p.in_processes(__import__("time").sleep, [0, 0, 0, 0, 0, 1000], 1):
    print("waits", flush=True)
"""


def test_a_script_is_not_run_once_more_and_what_it_started_ends_with_it(tmp_path: Path) -> None:
    """Also one that does not ask whether it is __main__."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script)]
    with killing(
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1 2\n"
        assert process.stdout.readline() == "waits\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.exists():
            pytest.skip("this system does not tell which processes a process has started")
        (child,) = children.read_text().split()
        process.kill()
        process.wait()
        command_line = Path(f"/proc/{child}/cmdline")
        wait_for(lambda: not command_line.exists() or not command_line.read_bytes())
