"""The lock on a run: one training at a time.

It is the operating system's, so a process that dies, however it dies, holds none. Who has it
stands in a file of its own: of a locked one, Windows shows nobody the content.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from textgen.errors import TextgenError, os_reason
from textgen.files import remove_parts, write_atomically
from textgen.language import Message

_LOCK, _HOLDER = ".lock", ".lock.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other training off a run while inside, and clear away what killed ones left.

    Raises:
        TextgenError: another one has the run, or its folder cannot be written.
    """
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise TextgenError(
            "{name} is being trained already, by {holder}: wait until that has ended, or stop it",
            name=folder.name,
            holder=_holder(folder),
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else error
        raise TextgenError(
            "{folder} cannot be locked: {reason}", folder=folder, reason=reason
        ) from None
    try:
        remove_parts(folder)
        who = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}",  # noqa: DTZ005 - for who sits here
        }
        write_atomically(folder / _HOLDER, (json.dumps(who) + "\n").encode())
        yield
    finally:
        lock.release()


def _holder(folder: Path) -> Message:
    """Return in words who has a run, as far as that can be told."""
    try:
        who = json.loads((folder / _HOLDER).read_text("utf-8"))
        return Message(
            "process {process} on {host} since {since}",
            process=who["process"],
            host=who["host"],
            since=who["since"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Message("another process")
