"""What to say of a training that somebody stopped: what is kept of it, and how it goes on."""

import shlex
import time

from textgen.errors import Interrupted
from textgen.runs.folder import Run
from textgen.runs.weights import read


def interrupted(run: Run, done: int, total_steps: int) -> Interrupted:
    """Return what to say where it was stopped between two steps."""
    return Interrupted(
        "stopped after {done:,} of {total_steps:,} steps, everything is saved; "
        "go on with: textgen train --resume {name}",
        done=done,
        total_steps=total_steps,
        name=shlex.quote(run.name),
    )


def given_up(run: Run, done: int) -> Interrupted:
    """Return what to say where it was stopped at once, in the midst of whatever it did."""
    name = shlex.quote(run.name)
    if not run.last.exists():
        return Interrupted(
            "stopped at once: {done:,} steps are given up, since there is no checkpoint yet; "
            "begin anew with: textgen train --resume {name}",
            done=done,
            name=name,
        )
    kept = read(run.last, "state.")[1]["step"]
    age = time.time() - run.last.stat().st_mtime
    return Interrupted(
        "stopped at once: {lost:,} of {done:,} steps are given up, and the checkpoint of "
        "{age:.0f} s ago is kept; go on with: textgen train --resume {name}",
        lost=done - kept,
        done=done,
        age=age,
        name=name,
    )
