"""The token of a monitor: who is not known to be its user must show it.

While the monitor runs, it lies in the folder of the runs, in a file that only its user can read:
``.visdom/token-PORT``. So a training finds it there, and nobody has to give it by hand.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VISDOMS_FOLDER = ".visdom"
"""Of the folder of the runs: what the monitor keeps."""


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(24)


@contextmanager
def keeping(token: str, folder: Path, port: int) -> Iterator[None]:
    """Keep a server's token in its folder while inside, for no other user's eyes.

    Raises:
        OSError: the folder cannot be written.
    """
    path = _file(folder, port)
    descriptor, temporary = tempfile.mkstemp(prefix=".token-", dir=folder)  # its user's alone
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def kept(folder: Path, port: int) -> str | None:
    """Return the token of the server at a port, or none where it left none for this user."""
    try:
        return _file(folder, port).read_text("ascii").strip() or None
    except (OSError, ValueError):
        return None


def _file(folder: Path, port: int) -> Path:
    return folder / f"token-{port}"
