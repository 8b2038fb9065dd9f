"""A training whose messages cannot be written stops, saved, and does not say that all is well."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TINY, flags
from tests.processes import MOST_SECONDS, killing
from textgen.runs.finding import find_run


def arguments(story: Path, **settings: object) -> list[str]:
    chosen = flags(**{**TINY, "patience": 0, "name": "unheard", **settings})
    return [sys.executable, "-m", "textgen", "train", str(story), "--no-visdom", *chosen]


@pytest.mark.usefixtures("in_folder")
def test_who_read_the_messages_has_gone(story: Path) -> None:
    """As with ``2>&1 | head``."""
    with killing(
        subprocess.Popen(
            arguments(story, epochs=1000.0, evaluate_every=20),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    ) as process:
        assert process.stdout is not None
        while b"epoch" not in (line := process.stdout.readline()):
            assert line  # it has not ended
        process.stdout.close()
        assert process.wait(timeout=60) == 1
    run = find_run(Path("checkpoints"), "unheard")
    assert run.last.exists()
    assert run.record.read()[-1]["step"] < run.plan.total_steps


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here that is always full")
@pytest.mark.usefixtures("in_folder")
def test_the_disk_that_takes_the_messages_is_full(story: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(arguments(story), stderr=full, check=False, timeout=MOST_SECONDS)
    assert done.returncode == 1
