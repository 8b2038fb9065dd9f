"""What a training is disturbed by: each part's cases."""

import errno
import itertools
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from disturbed.process import NO_FAULT, Fault
from disturbed.training import (
    Flags,
    Training,
    Undisturbed,
    problems,
    problems_after,
    undisturbed,
)

TINY: Flags = (
    *("--embedding-size", "8", "--hidden-size", "16"),
    *("--dropout", "0.1", "--recurrent-dropout", "0.1"),
    *("--batch-size", "4", "--num-steps", "16", "--epochs", "1", "--evaluate-every", "10"),
    *("--device", "cpu"),
)
_KINDS = {
    "--model": ("nn", "scratch"),
    "--cell": ("lstm", "gru"),
    "--batches": ("sequential", "random"),
    "--precision": ("float32", "bfloat16"),
    "--tokens": ("character", "word"),
}
_FAULTS = {
    f"{errno.errorcode[error]} {how}": (error, how == "ever")
    for error in (errno.EIO, errno.ENOSPC)
    for how in ("once", "ever")
} | {"killed": (0, False)}
"""What a call meets: an error, that time or from then on, or the end of its process."""

_EVER = sys.maxsize
_MOST = 1_000_000
"""Kills that there may be."""

_STEP = 12
"""Kilobytes between the sizes of two disks."""


@dataclass(frozen=True)
class Case:
    """A training that is disturbed once, or until it has ended."""

    part: str
    kind: str
    number: int
    work: Callable[[Path], list[str]]
    """Given an empty folder, returns what went wrong."""

    @property
    def name(self) -> str:
        """What the case is called by to have it again."""
        return "-".join((self.part, *self.kind.split(), str(self.number)))


def faults(workspace: Path, text: Path, _seed: str) -> Iterator[Case]:
    """Each call that changes something fails, or is the training's last."""
    return _faults("training", workspace, text, None)


def faults_of_transfer(workspace: Path, text: Path, _seed: str) -> Iterator[Case]:
    """The same, of a training that begins with another run."""
    earlier = Training(workspace / "earlier", text, TINY)
    earlier.folder.mkdir()
    earlier.go()
    return _faults("transfer", workspace, text, None, (*TINY, "--from", str(earlier.run)))


def faults_of_resume(workspace: Path, text: Path, _seed: str) -> Iterator[Case]:
    """The same, of what goes on with a training that was killed halfway."""
    training = Training(workspace / "halfway", text, TINY)
    training.folder.mkdir()
    half = len(undisturbed(workspace, text, TINY).calls) // 2
    training.go(Fault(half, half, 0))
    return _faults("resume", workspace, text, training.checkpoints)


def _faults(
    part: str, workspace: Path, text: Path, begun: Path | None, flags: Flags = TINY
) -> Iterator[Case]:
    expected = undisturbed(workspace, text, flags)
    trial = _training(workspace / part, text, flags, begun)
    numbers = range(1, len(trial.go().calls) + 1)
    for (kind, (error, ever)), number in itertools.product(_FAULTS.items(), numbers):
        fault = Fault(number, _EVER if ever else number, error)
        yield Case(part, kind, number, partial(_fail, text, expected, begun, fault, flags))


def _training(folder: Path, text: Path, flags: Flags, begun: Path | None = None) -> Training:
    folder.mkdir(exist_ok=True)
    training = Training(folder, text, flags)
    if begun is not None:
        shutil.copytree(begun, training.checkpoints)
    return training


def _fail(
    text: Path,
    expected: Undisturbed,
    begun: Path | None,
    fault: Fault,
    flags: Flags,
    folder: Path,
) -> list[str]:
    training = _training(folder, text, flags, begun)
    outcome = training.go(fault)
    if len(outcome.calls) < fault.first:
        return ["it came to its end before the fault"]
    found = problems(training, outcome, expected) + problems_after(training, outcome, expected)
    return found and [f"at {outcome.calls[fault.first - 1]}", *found]


def kills(workspace: Path, text: Path, seed: str) -> Iterator[Case]:
    """SIGKILL at random moments, over the kinds of networks and data."""
    kinds = list(itertools.product(*_KINDS.values()))
    random.Random(seed).shuffle(kinds)  # noqa: S311 - nothing secret
    for number, kind in zip(range(1, _MOST + 1), itertools.cycle(kinds)):
        flags = (*TINY, *itertools.chain(*zip(_KINDS, kind, strict=True)))
        draw = random.Random(f"{seed} {number}")  # noqa: S311
        yield Case("kills", "SIGKILL", number, partial(_kill, workspace, text, flags, draw))


def _kill(
    workspace: Path, text: Path, flags: Flags, draw: random.Random, folder: Path
) -> list[str]:
    """Kill a training, and in one of two cases what goes on with it, and so on."""
    expected = undisturbed(workspace, text, flags)
    training = _training(folder, text, flags)
    found = []
    again = True
    while again:
        outcome = training.go(NO_FAULT, draw.uniform(0, expected.seconds))
        found += problems(training, outcome, expected)
        again = outcome.status < 0 and draw.random() < 0.5
    found += problems_after(training, outcome, expected)
    return found and [" ".join(flags), *found]


def small_disks(workspace: Path, text: Path, _seed: str) -> Iterator[Case]:
    """Disks on which there is room for a part of the training only."""
    expected = undisturbed(workspace, text, TINY)
    for number in range(_STEP, 2 * expected.size // 1024, _STEP):
        yield Case("disks", "small tmpfs", number, partial(_fill, text, expected, number))


def _fill(text: Path, expected: Undisturbed, size: int, folder: Path) -> list[str]:
    def mount(options: str) -> None:
        command = ("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
        subprocess.run(command, check=True)  # noqa: S603

    mount(f"size={size}k")
    try:
        training = Training(folder, text, TINY)
        outcome = training.go()
        found = problems(training, outcome, expected)
        mount("remount,size=8m")
        return found + problems_after(training, outcome, expected)
    finally:
        subprocess.run(("umount", str(folder)), check=True)  # noqa: S603, S607


PARTS = {
    "training": faults,
    "transfer": faults_of_transfer,
    "resume": faults_of_resume,
    "kills": kills,
    "disks": small_disks,
}
