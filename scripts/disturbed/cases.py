"""Which trainings are disturbed, one after the other, and what came of it."""

import io
import os
import random
import resource
import shutil
import sys
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from disturbed.parts import PARTS, TINY, Case
from textgen.cli.commands import run

_SAMPLE = Path(__file__).parent.parent.parent / "corpus" / "sample.txt"
_LINES = 30
"""Of the sample, that are trained on."""


def choose(
    workspace: Path, seed: str, kills: int, most: int | None, only: str | None
) -> list[Case]:
    """Return the cases that are asked for."""
    text = workspace / "text.txt"
    lines = _SAMPLE.read_text("utf-8").splitlines(keepends=True)
    text.write_text("".join(lines[:_LINES]), "utf-8")
    import_everything(workspace, text)
    chosen: list[Case] = []
    for part, make in PARTS.items():
        asked = only is None or only.split("-")[0] == part
        if not asked or (part == "disks" and not os.environ["MAY_MOUNT"]):
            continue
        cases = make(workspace, text, seed)
        if only not in (None, part):
            chosen += islice((case for case in cases if case.name == only), 1)
        elif part == "kills":
            chosen += islice(cases, kills)
        else:
            of_part = list(cases)
            draw = random.Random(f"{seed} {part}")  # noqa: S311 - nothing secret
            chosen += of_part if most is None else draw.sample(of_part, min(most, len(of_part)))
    return chosen


def import_everything(workspace: Path, text: Path) -> None:
    """Train, so that the trainings to come have everything that they import."""
    folder = str(workspace / "first")
    arguments = ["train", str(text), "--no-visdom", "--checkpoints", folder, "--tokens", "word"]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as errors:
        status = run([*arguments, *TINY])
    if status != 0:
        raise RuntimeError(errors.getvalue())


def disturb(cases: list[Case], workspace: Path, seed: str) -> int:
    """Disturb one training after the other, print what came of it, and return the exit status."""
    made, failed = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    folder = workspace / "case"
    # A file of its own, so that no training takes the bar for its own.
    with os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1) as terminal:
        tqdm.monitor_interval = 0  # a thread, and a process that has some must not be forked
        for case in tqdm(cases, file=terminal, disable=None, mininterval=1):
            folder.mkdir()
            found = case.work(folder)
            shutil.rmtree(folder)
            made[case.part, case.kind] += 1
            if found:
                failed[case.part, case.kind] += 1
                again = f"scripts/faults --seed {seed} --only {case.name}"
                tqdm.write("\n    ".join((again, *found)), file=terminal)
    for part, kind in made:
        print(f"{part:10} {kind:14} {made[part, kind]:6,} {failed[part, kind]:6,} failed")
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(one.ru_utime + one.ru_stime for one in usage)
    print(f"{made.total():,} disturbed, {failed.total():,} failed; {seconds:,.0f} s of CPU time")
    return int(failed.total() > 0)
