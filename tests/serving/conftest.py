"""The server as a user has it: a real process, with two runs that can be named."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import FOR_ALL_TESTS, MOST_SECONDS, killing
from textgen.runs.folder import Run

SECONDS = 60.0
"""How long anything may take on a busy machine."""


class Served:
    """A server that listens."""

    def __init__(self, process: subprocess.Popen[str], root: Path) -> None:
        self.process = process
        self.root = root
        assert process.stderr is not None
        self.said = ""
        while "Ctrl-C stops" not in self.said:
            line = process.stderr.readline()
            assert line, self.said
            self.said += line
        found = re.search(r" is at (http://\S+:(\d+)) ", self.said)
        assert found is not None
        self.url, self.port = found[1], int(found[2])

    def stop(self, number: int) -> tuple[int, str]:
        """Send a signal, and return the exit status and all that was said on stderr."""
        self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, self.said + rest


@contextmanager
def serving(root: Path, *arguments: str, seconds: float = MOST_SECONDS) -> Iterator[Served]:
    command = [sys.executable, "-m", "textgen", "serve", "--port", "0", "--checkpoints", str(root)]
    with killing(
        subprocess.Popen(
            [*command, *arguments], stderr=subprocess.PIPE, text=True, encoding="utf-8"
        ),
        seconds,
    ) as process:
        yield Served(process, root)
        process.terminate()
        process.wait(SECONDS)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, sample_run: Run, tiny_run: Run) -> Path:
    """Return a folder with two runs, learned and tiny."""
    root = tmp_path_factory.mktemp("served")
    for run in (sample_run, tiny_run):
        shutil.copytree(run.folder, root / run.name)
    return root


@pytest.fixture(scope="session")
def served(runs: Path) -> Iterator[Served]:
    """Return a server for those who only ask; learned is its usual run."""
    with serving(runs, "learned", seconds=FOR_ALL_TESTS) as server:
        yield server
