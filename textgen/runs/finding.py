"""Which run is meant: by its name or the beginning of one, by its folder, by a checkpoint in it."""

import difflib
import shlex
from pathlib import Path

from textgen.errors import TextgenError
from textgen.language import Message
from textgen.runs.folder import CHECKPOINTS, Run, name_of

_NAMED = 5
"""Runs that an error names at most."""


def find_run(root: Path, name: str | None = None) -> Run:
    """Return the run that a name means; the newest when none is given.

    Args:
        root: the folder that runs are in.
        name: as ``find_folder`` takes it.

    Raises:
        TextgenError: there is none, or it is not clear which.
    """
    return Run(find_folder(root, name))


def find_folder(root: Path, name: str | None = None) -> Path:
    """Return the folder of the run that a name means; what it holds is not looked at.

    Args:
        root: the folder that runs are in.
        name: the run's name or as much of its beginning as no other run has, the path of its
            folder, or of a checkpoint in it; when not given, the run that was written last, also
            where it has no checkpoint yet.

    Raises:
        TextgenError: there is none, or it is not clear which.
    """
    if name is None:
        if not (written := _newest(root, "config.json", *CHECKPOINTS)):
            raise TextgenError(
                "there is no run in {root} yet; make one with: textgen train FILE", root=root
            )
        return written[-1].parent
    paths = (root / name, Path(name))
    runs = run_folders(root)
    exact = [*(_folder_of(path) for path in paths), *(run for run in runs if name_of(run) == name)]
    for folder in exact:
        if (folder / "config.json").is_file():
            return folder
    if name and (begun := [run for run in runs if name_of(run).startswith(name)]):
        if len(begun) > 1:
            raise TextgenError(
                "{count} runs in {root} begin with {name}: {names}; write more of it",
                count=len(begun),
                root=root,
                name=name,
                names=_listed(begun),
            )
        return begun[0]
    for folder in paths:
        if folder.is_dir():
            return folder  # which is no run, as who opens it will say
    raise TextgenError(
        "there is no run {name} in {root}; {instead}",
        name=name,
        root=root,
        instead=_instead_of(name, root, runs),
    )


def is_text(root: Path, name: str) -> bool:
    """Return whether a name means no run, but a text file or a folder of them."""
    try:
        return not (find_folder(root, name) / "config.json").exists()
    except TextgenError:
        return Path(name).exists()


def run_folders(root: Path) -> list[Path]:
    """Return the folder of every run, in the order of their names; what is hidden is none."""
    folders = (path.parent for path in root.glob("*/config.json"))
    return sorted(folder for folder in folders if not folder.name.startswith("."))


def newest_checkpoints(root: Path) -> list[Path]:
    """Return the newest checkpoint of every run that has one, the oldest first."""
    return _newest(root, *CHECKPOINTS)


def _newest(root: Path, *names: str) -> list[Path]:
    """Return of every run the file of these names that was written last, the oldest first."""
    found = (folder / name for folder in run_folders(root) for name in names)
    written = sorted((path for path in found if path.exists()), key=_written)
    return sorted({path.parent: path for path in written}.values(), key=_written)


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns


def _folder_of(path: Path) -> Path:
    """Return the folder that a path means: itself, or the one that a checkpoint is in."""
    return path.parent if path.suffix == ".safetensors" and path.is_file() else path


def _instead_of(name: str, root: Path, runs: list[Path]) -> Message:
    """Return in words what to ask for instead of a name that is none."""
    near = difflib.get_close_matches(name, [name_of(run) for run in runs], n=2)
    if near:
        first, *others = map(shlex.quote, near)
        if not others:
            return Message("did you mean {name}?", name=first)
        return Message("did you mean {name} or {other}?", name=first, other=others[0])
    if runs:
        there = [path.parent for path in newest_checkpoints(root)] or runs
        return Message("there are: {names}", names=_listed(there))
    return Message("make one with: textgen train FILE")


def _listed(runs: list[Path]) -> str:
    names = ", ".join(map(name_of, runs[-_NAMED:]))
    return f"…, {names}" if len(runs) > _NAMED else names
