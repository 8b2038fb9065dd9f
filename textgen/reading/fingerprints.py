"""What files hold, known by its SHA-256: hashed once, and again when a file may be another.

It is taken for the same while its size, its times and its number on the disk are the same. One of
the times is that of its last change, which the system keeps and nobody sets back. On Windows it is
that of its creation: who changes a file there, but neither its size nor when it was written, is not
noticed.
"""

import time
from collections.abc import Iterable, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from textgen.bars import progress_bar
from textgen.language import _
from textgen.reading.provisional import File

_SETTLED_SECONDS = 2.0
"""Seconds that a file is left alone before its times are trusted: clocks of file systems tick."""


class Fingerprint(NamedTuple):
    """What a file holds, and what it looked like then."""

    path: str
    state: tuple[int, ...]
    """Its size, its times and its number; none where it had been changed only just now."""

    sha256: str
    """Of its bytes; empty where they cannot be read."""


def fingerprints(
    files: Sequence[File], remembered: Iterable[Fingerprint] = ()
) -> list[Fingerprint]:
    """Return what files hold, as far as it is not remembered hashed anew, with a bar."""
    before = {one.path: one for one in remembered}
    found = []
    total = sum(file.size for file in files)
    with progress_bar(total, _("bytes"), _("hashing"), delay=1.0) as bar:
        for file in files:
            known = before.get(str(file.path.absolute()))
            same = known is not None and known.state and known.state == _state(file.path)
            found.append(known if known and same else _fingerprint(file.path))
            bar.update(file.size)
    return found


def _fingerprint(path: Path) -> Fingerprint:
    state, digest = _state(path), ""
    try:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
    except OSError:
        state = ()
    return Fingerprint(str(path.absolute()), state, digest)


def _state(path: Path) -> tuple[int, ...]:
    """Return what is another once somebody has written to a file; nothing if that is not sure."""
    try:
        found = path.stat()
    except OSError:
        return ()
    changed = max(found.st_mtime, found.st_ctime)
    if time.time() - changed < _SETTLED_SECONDS:
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
