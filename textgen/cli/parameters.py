"""What several commands take, declared once, and what a shell completes there."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from textgen.cli.help import ARGUMENTS
from textgen.config import DEFAULT_CHECKPOINTS

if TYPE_CHECKING:
    from cyclopts.completion import CompletionContext

CHECKPOINTS = Path(DEFAULT_CHECKPOINTS)


def run_names(context: "CompletionContext") -> Iterable[str]:
    """Return the names of the runs there are, the newest first."""
    from textgen.runs.finding import run_folders
    from textgen.runs.folder import name_of

    given = context["checkpoints"].value
    root = given if isinstance(given, Path) else CHECKPOINTS
    folders = sorted(run_folders(root), key=lambda folder: -folder.stat().st_mtime_ns)
    return [name_of(folder) for folder in folders]


def paths(context: "CompletionContext") -> Iterable[str]:
    """Return the files and folders that a path may go on to, or with --resume, the runs."""
    resume = context.get("resume")
    if resume is not None and resume.provided:
        return run_names(context)
    folder, slash, _ = context.incomplete.rpartition("/")
    there = Path(folder + slash).iterdir()
    return sorted(f"{folder}{slash}{path.name}{'/' * path.is_dir()}" for path in there)


FLAT = Parameter(name="*")
"""Settings that stand beside each other on the command line, whichever class has them."""

Checkpoints = Annotated[Path, Parameter(name="--checkpoints")]
Json = Annotated[bool, Parameter(name="--json", negative="")]

RunName = Annotated[str | None, Parameter(completer=run_names, group=ARGUMENTS)]
"""The name of a run; none is the newest."""

RunNames = Annotated[str, Parameter(completer=run_names, group=ARGUMENTS)]
"""The name of a run that has to be given, or of each of several."""

Files = Annotated[str, Parameter(completer=paths, group=ARGUMENTS)]
"""A text file or a folder, or with --resume, a run."""
