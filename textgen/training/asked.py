"""Who asks for which of the stores that are kept beside the runs; what nobody needs any more, goes.

ROOT/.stores/KEY/files.json   which files a store was asked for, and what each of them holds
"""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textgen.files import write_atomically
from textgen.names import to_json
from textgen.reading.fingerprints import Fingerprint
from textgen.runs.finding import run_folders

_FILES = "files.json"

_BUILDING_SECONDS = 86_400.0
"""Seconds in which a folder may become a store that somebody else builds."""


@dataclass(frozen=True)
class Asked:
    """What a store was asked for."""

    paths: list[str]
    """Files and folders, as they were given."""

    files: list[Fingerprint]

    @property
    def is_there(self) -> bool:
        """Whether the files may still be asked for."""
        return all(Path(path).exists() for path in self.paths)


def asked_for(folder: Path) -> list[Asked]:
    """Return what the store in a folder was asked for; nothing where that cannot be read."""
    try:
        values = json.loads((folder / _FILES).read_text("utf-8"))
        return [
            Asked(
                list(one["paths"]),
                [Fingerprint(path, tuple(state), known) for path, state, known in one["files"]],
            )
            for one in values
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def note(folder: Path, these: Asked, root: Path) -> None:
    """Note that files asked for a store, and no more for another; and remove what nobody needs.

    Args:
        folder: the one that the store is in.
        these: the files.
        root: the folder that runs are in.
    """
    for one in folder.parent.glob("*"):
        earlier = asked_for(one)
        still = [asked for asked in earlier if asked.is_there and asked.paths != these.paths]
        if one == folder:
            _write(one, [*still, these])
        elif not still and not _needed(one, root):
            shutil.rmtree(one, ignore_errors=True)
        elif still != earlier:
            _write(one, still)


def _write(folder: Path, asked: Sequence[Asked]) -> None:
    values = [{"paths": one.paths, "files": one.files} for one in asked]
    write_atomically(folder / _FILES, to_json(values).encode() + b"\n")


def _needed(folder: Path, root: Path) -> bool:
    """Return whether a run learned from a store, or may have, or somebody may be building it."""
    if not (folder / _FILES).exists() and _is_young(folder):
        return True
    for run in run_folders(root):
        try:
            store = json.loads((run / "config.json").read_text("utf-8")).get("store")
        except (OSError, ValueError, AttributeError):
            return True
        if store is not None and Path(store).parent == folder.absolute():
            return True
    return False


def _is_young(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime < _BUILDING_SECONDS
    except OSError:  # somebody has removed it
        return True
