"""Which files of a folder are read, in which order, and which are left out and why."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from textgen.errors import TextgenError, os_reason
from textgen.language import Message
from textgen.reading.containers import TEXT_SUFFIXES
from textgen.reading.order import natural_key

_TEXTS = (".txt", ".txt.gz")
_OTHERS = (*TEXT_SUFFIXES, ".epub", ".docx", ".zip", ".gz")
"""Ends of names of what is read from a folder: the first, or where there are none, the others."""

_APPLE = "__MACOSX"
"""A folder that macOS puts into archives, with a shadow of every file."""


@dataclass
class Folder:
    """What is in a folder, at any depth."""

    files: list[Path] = field(default_factory=list)
    """To be read, in natural order."""

    left_out: list[tuple[Path, Message]] = field(default_factory=list)
    """What is not read, and why."""


def look_into(path: Path) -> Folder:
    """Return which files of a folder to read.

    Raises:
        TextgenError: there are none.
    """
    found = Folder()
    files = sorted(
        _walk(path, found, frozenset()), key=lambda file: natural_key(file.relative_to(path))
    )
    texts = [file for file in files if file.name.lower().endswith(_TEXTS)]
    found.files = texts or [file for file in files if file.name.lower().endswith(_OTHERS)]
    no_text = Message("is no text file")
    found.left_out += [(file, no_text) for file in files if file not in set(found.files)]
    if not found.files:
        raise TextgenError(
            "the folder {path} holds no text file: give one that holds .txt, .md, .epub or .html",
            path=path,
        )
    return found


def require_file(path: Path) -> None:
    """Refuse what is no file and no folder.

    Raises:
        TextgenError: there is nothing there, or a pipe or a device.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise TextgenError(
            "{path} does not exist; give a text file or a folder of them", path=path
        ) from None
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else error
        raise TextgenError("{path} cannot be read: {reason}", path=path, reason=reason) from None
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise TextgenError(
            "{path} is a pipe or a device; give a text file or a folder of them", path=path
        )


def _walk(path: Path, found: Folder, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    """Yield the files of a folder and of those in it; links are followed, but not in circles."""
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        place = (path.stat().st_dev, path.stat().st_ino)
    except OSError as error:
        reason = Message("cannot be read: {reason}", reason=os_reason(error))
        found.left_out.append((path, reason))
        return
    if place in above:
        found.left_out.append((path, Message("leads back to a folder above it")))
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name == _APPLE:
            found.left_out.append((path / entry.name, Message("is hidden")))
        elif entry.is_dir():
            yield from _walk(path / entry.name, found, above | {place})
        elif entry.is_file():
            yield path / entry.name
        else:
            found.left_out.append((path / entry.name, Message("is no file")))
