"""Files that are either whole or not there."""

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from textgen.errors import TextgenError, os_reason

_PART = ".part"
_OLDER = re.compile(r"\.(config|vocab|metrics|best|last|counts)\.(json|jsonl|safetensors)\.\w{8}")
"""Temporary files as they were called before they ended in ``.part``."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file as ``whole`` does, from bytes that are there already.

    Raises:
        TextgenError: the folder is not there or cannot be written, or the disk is full.
    """
    with whole(path) as file:
        file.write(data)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write so that a crash, a kill or a full disk leaves the old one, or none.

    The bytes go into a file beside it, are forced to the disk, and take the name at once; then the
    name is forced to the disk as well. Who may read the file, the user's umask says.

    Raises:
        TextgenError: the folder is not there or cannot be written, or the disk is full.
    """
    # A name of its own: with more around it, the file's may be longer than names can be.
    temporary = path.with_name(f".new-{secrets.token_hex(4)}{_PART}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise TextgenError(
            "{path} cannot be written: {reason}", path=path, reason=os_reason(error)
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system knows how.

    Raises:
        OSError: the disk is broken.
    """
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems
            raise
    finally:
        os.close(descriptor)


def remove_parts(folder: Path) -> None:
    """Remove the temporary files that killed processes left; nobody else may be writing there."""
    for path in folder.iterdir():
        name = path.name
        if (name.startswith(".") and name.endswith(_PART)) or _OLDER.fullmatch(name):
            with contextlib.suppress(OSError):
                path.unlink()
