"""What kills and faults leave behind, and that a resume makes of it what there would have been."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.conftest import TINY, copy_run, flags
from tests.processes import MOST_SECONDS
from tests.training.same import assert_same
from textgen.config import Settings
from textgen.dashboard.monitor import list_subjects
from textgen.errors import TextgenError
from textgen.files import write_atomically
from textgen.model.build import build_model
from textgen.runs.finding import find_run
from textgen.runs.folder import Run
from textgen.runs.trained import find_to_write
from textgen.runs.weights import read
from textgen.training.start import resume, train

KILL = """
import os, signal, sys
import textgen.training.session as session
{patch}
from textgen.__main__ import main
main()
"""
"""A training that kills itself at a place that is told."""


def train_and_die(story: Path, name: str, patch: str, **settings: object) -> Path:
    arguments = ["train", str(story), "--no-visdom", *flags(**{**TINY, **settings, "name": name})]
    done = subprocess.run(
        [sys.executable, "-c", KILL.format(patch=patch), *arguments],
        stderr=subprocess.PIPE,
        check=False,
        timeout=MOST_SECONDS,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    return Path("checkpoints") / name


@pytest.mark.usefixtures("in_folder")
def test_best_weights_that_were_not_judged_in_the_end_are_judged_by_a_resume(
    story: Path, tiny_run: Run
) -> None:
    killed = Run(
        train_and_die(
            story,
            "killed",
            "session.Judge.best = lambda *_: os.kill(os.getpid(), signal.SIGKILL)",
        )
    )
    assert "best_step" not in killed.record.read()[-1]
    resume(killed)
    assert_same(killed, tiny_run)
    with pytest.raises(TextgenError, match="killed is complete"):
        resume(killed)


@pytest.fixture(scope="module")
def judged_often(tmp_path_factory: pytest.TempPathFactory, tiny_run: Run) -> Run:
    """Return a run of the story that was judged every ten steps."""
    story = tiny_run.folder.parent / "story.txt"
    settings = Settings.of(**TINY, evaluate_every=10)
    return train(story, settings, "often", tmp_path_factory.mktemp("often")).run


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.usefixtures("in_folder")
def test_steps_before_a_long_evaluation_are_not_lost_with_it(
    story: Path, judged_often: Run, moment: str
) -> None:
    """Killed while it evaluates, or when that is recorded and not saved: exactly the same."""
    patch = f"""
session._EVALUATING_SECONDS = 0
before = session.Session.{"_evaluation" if moment == "before" else "_save"}
def dying(self, run, *arguments, **named):
    if self.position.step == 20 and "pending" not in named:
        os.kill(os.getpid(), signal.SIGKILL)
    return before(self, run, *arguments, **named)
session.Session.{"_evaluation" if moment == "before" else "_save"} = dying
"""
    killed = Run(train_and_die(story, "killed", patch, evaluate_every=10))
    with safe_open(killed.last, "numpy") as file:
        assert '"step": 20' in file.metadata()["textgen"]
    assert any(entry["step"] == 20 for entry in killed.record.read()) == (moment == "after")
    resume(killed)
    assert_same(killed, judged_often)


@pytest.mark.usefixtures("in_folder")
def test_the_first_checkpoint_waits_for_no_evaluation(story: Path) -> None:
    """Killed in its third step, long before anything is judged: the second is not lost."""
    patch = """
session._FIRST_SAVE_SECONDS = session._SAVE_SECONDS = 0
before = session.Meter.add
def dying(self, step):
    if step.position.step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    before(self, step)
session.Meter.add = dying
"""
    killed = Run(train_and_die(story, "killed", patch, evaluate_every=1000))
    assert read(killed.last)[1]["step"] == 2


@pytest.mark.usefixtures("in_folder")
def test_the_newest_run_goes_on_also_without_a_checkpoint(story: Path, tiny_run: Run) -> None:
    whole = copy_run(tiny_run, "whole")
    patch = "session.Meter.start = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    killed = Run(train_and_die(story, "killed", patch))
    assert not killed.last.exists()
    root = Path("checkpoints")
    assert find_to_write(root).folder == whole.folder
    assert find_run(root).folder == killed.folder
    resume(killed)
    assert_same(killed, whole)


@pytest.mark.usefixtures("in_folder")
def test_a_kill_while_the_folder_is_tried_leaves_no_run_that_holds_nothing(story: Path) -> None:
    patch = "import pathlib; pathlib.Path.rmdir = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    assert not train_and_die(story, "tried", patch).exists()
    assert list(Path("checkpoints").glob(".new-*"))


@pytest.mark.usefixtures("in_folder")
def test_a_folder_that_was_to_become_a_run_is_taken_for_none(story: Path) -> None:
    patch = "import pathlib; pathlib.Path.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    root = train_and_die(story, "unborn", patch).parent
    assert list(root.glob(".new-*/counts.safetensors"))
    with pytest.raises(TextgenError, match="there is no run"):
        find_run(root)
    assert [subject.name for subject in list_subjects(root)] == ["sanity"]


@pytest.mark.usefixtures("in_folder")
def test_what_killed_writes_left_is_removed_when_the_run_goes_on(tiny_run: Run) -> None:
    run = copy_run(tiny_run, "left")
    left = [run.folder / ".last.safetensors.0123abcd.part", run.folder / ".config.json.a_b1c2d3"]
    for path in left:
        path.write_bytes(b"half")
    (run.folder / ".mine.safetensors").write_bytes(b"the user's own")
    resume(run, Settings.of(**TINY))
    assert not any(path.exists() for path in left)
    assert (run.folder / ".mine.safetensors").exists()


def test_files_are_for_whom_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_atomically(tmp_path / "private", b"")
        os.umask(0o022)
        write_atomically(tmp_path / "public", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("decay", [0.0, 0.05])
@pytest.mark.usefixtures("in_folder")
def test_moments_that_had_numbers_still_load(story: Path, decay: float) -> None:
    """Checkpoints of before: the places in the optimiser's groups, matrices first if they decay."""
    settings = Settings.of(**{**TINY, "weight_decay": decay, "counts": False})
    run = train(story, settings, name="named").run
    old = copy_run(run, "numbered")
    tensors = load_file(run.last)
    with safe_open(run.last, "numpy") as file:
        metadata = file.metadata()
    names = [name for name, _ in build_model(len(run.vocab), settings.model).named_parameters()]
    if decay:
        names.sort(key=lambda name: tensors[f"model.{name}"].dim() <= 1)
    numbered = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            name, moment = key.removeprefix("optimizer.").rsplit(".", 1)
            numbered[f"optimizer.{names.index(name)}.{moment}"] = value
        else:
            numbered[key] = value
    save_file(numbered, old.last, metadata)
    for one in (run, old):
        resume(one, settings)
    assert_same(old, run)


@pytest.mark.parametrize(
    "changes", [{"weight_decay": 0.0}, {"optimizer": "sgd", "learning_rate": 0.1}, {"beta2": 0.9}]
)
@pytest.mark.usefixtures("in_folder")
def test_another_optimiser_goes_on_with_what_fits(tiny_run: Run, changes: dict[str, Any]) -> None:
    run = copy_run(tiny_run, "changed")
    settings = Settings.of(**TINY)
    for training in (replace(settings.training, **changes), settings.training):
        result = resume(run, replace(settings, training=training))
        assert result.tokens > 0
        run = Run(run.folder)


@pytest.mark.usefixtures("in_folder")
def test_moments_of_other_weights_are_refused(tiny_run: Run) -> None:
    run = copy_run(tiny_run, "mixed")
    tensors = load_file(run.last)
    with safe_open(run.last, "numpy") as file:
        metadata = file.metadata()
    tensors["optimizer.output.bias.exp_avg"] = torch.zeros(3)
    save_file(tensors, run.last, metadata)
    with pytest.raises(TextgenError, match="what the optimiser remembers is of other weights"):
        resume(run, Settings.of(**TINY))
