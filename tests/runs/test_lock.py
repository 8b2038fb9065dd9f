"""One training of a run at a time, and no two runs of one name."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import TINY, copy_run
from tests.processes import killing
from textgen.config import Settings
from textgen.errors import TextgenError
from textgen.runs.folder import Run, create_run
from textgen.runs.lock import locked
from textgen.text.vocab import Vocab
from textgen.training.start import resume

HOLD = """
import sys, time
from pathlib import Path
from textgen.runs.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_second_is_told_who_has_it_and_a_dead_process_holds_none(tmp_path: Path) -> None:
    with killing(
        subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with (
            pytest.raises(TextgenError, match=rf"by process {process.pid} on .* since 20"),
            locked(tmp_path),
        ):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with locked(tmp_path):
            assert f'"process": {os.getpid()}' in (tmp_path / ".lock.json").read_text()
    with locked(tmp_path):
        pass


@pytest.mark.usefixtures("in_folder")
def test_a_run_that_is_being_trained_is_left_alone(tiny_run: Run) -> None:
    run = copy_run(tiny_run, "busy")
    before = {path.name: path.read_bytes() for path in run.folder.glob("[!.]*")}
    longer = Settings.of(**TINY)
    with killing(
        subprocess.Popen(
            [sys.executable, "-c", HOLD, run.folder], stdout=subprocess.PIPE, text=True
        )
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(TextgenError, match="busy is being trained already"):
            resume(run, longer)
    assert before.items() <= {p.name: p.read_bytes() for p in run.folder.iterdir()}.items()
    assert resume(run, longer).tokens > 0


def test_two_runs_of_one_second_get_two_names(tmp_path: Path, tiny_run: Run) -> None:
    config = {name: value for name, value in tiny_run.config.items() if name != "format"}

    def make(_: int) -> str:
        return create_run(tmp_path, "one", config, Vocab.build("一二"), "一二", numbered=True).name

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(make, range(8)))
    assert names == {"one", *(f"one-{number}" for number in range(2, 9))}
    with pytest.raises(TextgenError, match="one cannot be written"):
        create_run(tmp_path, "one", config, Vocab.build("一二"), "一二")
    assert {path.name for path in tmp_path.iterdir()} == names
