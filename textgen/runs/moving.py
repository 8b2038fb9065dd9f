"""Runs that go away or get another name, whole or not at all, and never while they are trained."""

import shutil
import tempfile
from pathlib import Path

from textgen.errors import TextgenError, os_reason
from textgen.language import Message
from textgen.runs import base
from textgen.runs.folder import make_room_for
from textgen.runs.lock import locked

_REMOVED = ".removed-"
"""How the name begins of a hidden folder that holds what is being removed."""


def remove(folder: Path) -> None:
    """Remove a run.

    It is gone at once, and its files after that; what a kill leaves of them, the next removal
    takes along.

    Raises:
        TextgenError: it is none, it is being trained, or it cannot be removed.
    """
    require_own(folder)
    root = folder.absolute().parent
    try:
        with locked(folder):
            hidden = Path(tempfile.mkdtemp(prefix=_REMOVED, dir=root))
            folder.rename(hidden / folder.name)
        for left in root.glob(f"{_REMOVED}*"):
            shutil.rmtree(left, ignore_errors=left != hidden)
    except OSError as error:
        raise TextgenError(
            "{folder} cannot be removed: {reason}", folder=folder, reason=os_reason(error)
        ) from None


def rename(folder: Path, name: str) -> Path:
    """Give a run another name, and return its new folder.

    Raises:
        UsageError: it is no name of a run.
        TextgenError: there is a run of that name, this one is being trained, or cannot be renamed.
    """
    require_own(folder)
    root = folder.absolute().parent
    make_room_for(root, name, Message("the new name"))
    try:
        with locked(folder):
            return folder.rename(folder.parent / name)
    except OSError as error:
        raise TextgenError(
            "{folder} cannot be renamed: {reason}", folder=folder, reason=os_reason(error)
        ) from None


def require_own(folder: Path) -> None:
    """Refuse what is no run of the user's.

    Raises:
        TextgenError: it is the model in the box, or no run.
    """
    if folder.resolve() == base.FOLDER.resolve():
        raise TextgenError("{name} comes with textgen: it stays as it is", name=base.NAME)
    for name in ("config.json", "vocab.json"):
        if not (folder / name).is_file():
            raise TextgenError(
                "{folder} is not a run folder: it has no {name}", folder=folder, name=name
            )
