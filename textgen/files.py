"""Files that are either whole or not there."""

import contextlib
import os
import tempfile
from pathlib import Path

from textgen.errors import TextgenError


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a crash, a kill or a full disk leaves the old one, or none.

    The bytes go into a file beside it, are forced to the disk, and take the name at once.

    Raises:
        TextgenError: the folder is not there or cannot be written, or the disk is full.
    """
    temporary = None
    try:
        # A name of its own: with more around it, the file's may be longer than names can be.
        descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        raise TextgenError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
