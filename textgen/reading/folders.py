"""Which files of a folder are read, in which order, and which are left out and why."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from textgen.errors import TextgenError
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

    left_out: list[tuple[Path, str]] = field(default_factory=list)
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
    found.left_out += [(file, "is no text file") for file in files if file not in set(found.files)]
    if not found.files:
        raise TextgenError(
            f"the folder {path} holds no text file: give one that holds .txt, .md, .epub or .html"
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
        raise TextgenError(f"{path} does not exist; give a text file or a folder of them") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TextgenError(f"{path} cannot be read: {reason}") from None
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise TextgenError(f"{path} is a pipe or a device; give a text file or a folder of them")


def _walk(path: Path, found: Folder, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    """Yield the files of a folder and of those in it; links are followed, but not in circles."""
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        place = (path.stat().st_dev, path.stat().st_ino)
    except OSError as error:
        found.left_out.append((path, f"cannot be read: {error.strerror}"))
        return
    if place in above:
        found.left_out.append((path, "leads back to a folder above it"))
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name == _APPLE:
            found.left_out.append((path / entry.name, "is hidden"))
        elif entry.is_dir():
            yield from _walk(path / entry.name, found, above | {place})
        elif entry.is_file():
            yield path / entry.name
        else:
            found.left_out.append((path / entry.name, "is no file"))
