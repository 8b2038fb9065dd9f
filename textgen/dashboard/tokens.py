"""The token of a monitor: who is not known to be its user must show it.

While the monitor runs, it lies in the folder of the runs, in a file that only its user can read:
``.visdom/token-PORT``. So a training finds it there, and nobody has to give it by hand. Where the
monitor is, stands beside it, under a lock that goes with the monitor, however that ends.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

VISDOMS_FOLDER = ".visdom"
"""Of the folder of the runs: what the monitor keeps."""


_ADDRESS = "address-"
_SECONDS_TO_LOCK = 1.0
"""A training that asks whether the monitor is there has its lock for a moment."""


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(24)


@contextmanager
def keeping(token: str, folder: Path, port: int, url: str) -> Iterator[None]:
    """Keep a server's token in its folder while inside, for no other user's eyes, and its URL.

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
    address = _address(folder, port)
    lock = FileLock(_lock(folder, port), timeout=_SECONDS_TO_LOCK)
    try:
        # Where there are no locks, a training has to be told where its monitor is.
        with contextlib.suppress(Timeout, OSError, NotImplementedError):
            lock.acquire()
            address.write_text(url, "utf-8")
        yield
    finally:
        for left in (path, address):
            with contextlib.suppress(OSError):
                left.unlink()
        lock.release()


def monitor_of(root: Path) -> str | None:
    """Return the URL of the monitor that watches a folder of runs, or none where none does."""
    folder = root / VISDOMS_FOLDER
    for address in sorted(folder.glob(f"{_ADDRESS}*")):
        port = address.name.removeprefix(_ADDRESS)
        lock = FileLock(_lock(folder, port), timeout=0)
        try:
            url = address.read_text("utf-8")
            with lock:
                pass  # nobody has it: the monitor is gone, and could not say so
        except Timeout:
            return url
        except (OSError, NotImplementedError, ValueError):
            continue
    return None


def kept(folder: Path, port: int) -> str | None:
    """Return the token of the server at a port, or none where it left none for this user."""
    try:
        return _file(folder, port).read_text("ascii").strip() or None
    except (OSError, ValueError):
        return None


def _address(folder: Path, port: int) -> Path:
    return folder / f"{_ADDRESS}{port}"


def _lock(folder: Path, port: int | str) -> Path:
    return folder / f"lock-{port}"


def _file(folder: Path, port: int) -> Path:
    return folder / f"token-{port}"
