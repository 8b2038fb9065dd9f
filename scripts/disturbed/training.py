"""A training that was disturbed: what there must be after it, and after it has gone on."""

import json
import os
import signal
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from disturbed.process import NO_FAULT, Fault, Outcome, run_disturbed
from textgen.errors import TextgenError
from textgen.runs.finding import newest_checkpoints
from textgen.runs.folder import Run
from textgen.runs.trained import load
from textgen.runs.weights import read_weights

NAME = "run"
_TIMES = ("seconds", "tokens_per_second")
_KILLED = -signal.SIGKILL

Flags = tuple[str, ...]


@dataclass(frozen=True)
class Training:
    """A training in a folder of its own, which it has for itself."""

    folder: Path
    text: Path
    flags: Flags

    @property
    def checkpoints(self) -> Path:
        """The folder that the run's folder is in."""
        return self.folder / "checkpoints"

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.checkpoints / NAME

    def go(self, fault: Fault = NO_FAULT, kill_after: float | None = None) -> Outcome:
        """Train, or go on with what there is of the run, hours after whoever did so before."""
        for path in self.checkpoints.glob(".new-*"):
            os.utime(path, (0, 0))
        common = ["--no-visdom", "--checkpoints", str(self.checkpoints)]
        if self.run.exists():
            arguments = ["train", "--resume", NAME, *common]
        else:
            arguments = ["train", str(self.text), "--name", NAME, *common, *self.flags]
        return run_disturbed(arguments, self.folder, fault, kill_after)


@dataclass(frozen=True)
class Undisturbed:
    """How a training ends that nothing disturbs."""

    files: dict[str, object]
    """The contents of the run's files, without times, and without who trained it."""

    calls: list[str]
    seconds: float
    size: int
    """Bytes of the run's folder."""


@cache
def undisturbed(workspace: Path, text: Path, flags: Flags) -> Undisturbed:
    """Train, and return what came of it; once for all who ask for the same."""
    words = (flag.removeprefix("--").replace(os.sep, "_") for flag in flags)
    folder = workspace / "-".join(("undisturbed", *words))
    folder.mkdir()
    training = Training(folder, text, flags)
    outcome = training.go()
    if outcome.status != 0:
        raise RuntimeError(f"a training that nothing disturbs fails: {outcome.errors}")
    size = sum(path.stat().st_size for path in training.run.iterdir())
    return Undisturbed(files_of(training), outcome.calls, outcome.seconds, size)


def files_of(training: Training) -> dict[str, object]:
    """Return every file's content, as far as it does not tell the time, and the folders' names."""
    found: dict[str, object] = {
        str(path.relative_to(training.checkpoints)): path.is_file() and path.read_bytes()
        for path in training.checkpoints.rglob("*")
    }
    found.pop(f"{NAME}/.lock.json", None)
    config = f"{NAME}/config.json"
    if config in found:
        written = json.loads((training.run / "config.json").read_bytes())
        found[config] = {name: value for name, value in written.items() if name != "legs"}
    record = f"{NAME}/metrics.jsonl"
    if record in found:
        lines = (training.run / "metrics.jsonl").read_text("utf-8").splitlines()
        found[record] = [
            {name: value for name, value in json.loads(line).items() if name not in _TIMES}
            for line in lines
        ]
    return found


def problems(training: Training, outcome: Outcome, expected: Undisturbed) -> list[str]:
    """Return what is not as it should be after a training that was disturbed."""
    return [*_told_wrong(outcome), *_half(training), *_unlike(training, outcome, expected)]


def problems_after(training: Training, before: Outcome, expected: Undisturbed) -> list[str]:
    """Let a training go on to its end; return what is not as it should be then."""
    outcome = training.go()
    found = _told_wrong(outcome)
    if outcome.status == 1 and " is complete after " in outcome.errors:
        if before.status == 1:
            found.append("it failed, it said, and was complete")
    elif outcome.status != 0:
        found.append(f"it does not go on: status {outcome.status}, {outcome.errors!r}")
    return found + _differences(files_of(training), expected.files)


def _told_wrong(outcome: Outcome) -> list[str]:
    """Return what is wrong with what a process said, and with its status."""
    if outcome.status == _KILLED:
        return []
    told = [line for line in outcome.errors.splitlines() if line.startswith("textgen: ")]
    found = []
    if "Traceback" in outcome.errors:
        found.append(f"a traceback: {outcome.errors[outcome.errors.index('Traceback') :]}")
    if outcome.status not in (0, 1):
        found.append(f"status {outcome.status}")
    if len(told) != outcome.status:
        found.append(f"status {outcome.status}, and {len(told)} lines say why: {told}")
    return found


def _half(training: Training) -> list[str]:
    """Return what is half there: a run that cannot be loaded, or a checkpoint."""
    if not training.run.exists():
        taken = newest_checkpoints(training.checkpoints)
        return [f"{path.parent.name} is taken for a run" for path in taken]
    try:
        run = Run(training.run)
        run.learned_text()
        checkpoints = [path for path in (run.best, run.last) if path.exists()]
        for path in checkpoints:
            read_weights(path, run.vocab, run.settings.model)
        if checkpoints:
            load(training.run)
    except TextgenError as error:
        return [f"the run cannot be loaded: {error}"]
    return []


def _unlike(training: Training, outcome: Outcome, expected: Undisturbed) -> list[str]:
    """Return how a training that says that it is complete is not, temporary files aside."""
    if outcome.status != 0:
        return []
    files = {name: data for name, data in files_of(training).items() if "/." not in f"/{name}"}
    whole = {name: data for name, data in expected.files.items() if "/." not in f"/{name}"}
    return [f"complete, it said: {line}" for line in _differences(files, whole)]


def _differences(files: dict[str, object], expected: dict[str, object]) -> list[str]:
    """Return how the files of a run are not those of one that nothing disturbed."""
    return [
        f"{name} is left"
        if name not in expected
        else f"{name} is missing"
        if name not in files
        else f"{name} is not that of a training that nothing disturbed"
        for name in sorted({*files, *expected})
        if files.get(name) != expected.get(name)
    ]
