"""Ranks that are all on one machine: memory that each of them sees, and sockets to wait at.

gloo sends what goes to the process next door through the system's network, too, and wakes several
threads for it: a seventh of a step with 256 units (docs/scale.md). Here one rank reads what
another has written.
"""

import math
import mmap
import os
import secrets
import socket
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from textgen.training.meeting import MEETING_SECONDS

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NETWORK = Path("/proc/self/ns/net")


class Neighbours:
    """The ranks of one machine, as one of them sees them.

    Args:
        sockets: the first one's to all others, or another one's to the first.
        is_first: whether that is the first one.
    """

    def __init__(self, sockets: Sequence[socket.socket], *, is_first: bool) -> None:
        self._sockets = sockets
        self._is_first = is_first

    def wait(self) -> None:
        """Wait until all are here.

        Raises:
            ConnectionError: one of them is gone.
        """
        if self._is_first:
            self._hear()
            self._say()
        else:
            self._say()
            self._hear()

    def memory(self, *shape: int) -> Tensor:
        """Return zeros that all ranks see, and may write to; all ask for the same shape.

        Raises:
            ConnectionError: one of them is gone.
        """
        size = 4 * math.prod(shape)
        if self._is_first:
            file = os.memfd_create("textgen")
            os.ftruncate(file, size)
            for other in self._sockets:
                socket.send_fds(other, [b"m"], [file])
        else:
            (first,) = self._sockets
            said, files, *_ = socket.recv_fds(first, 1, 1)
            _require(said)
            (file,) = files
        try:
            return torch.frombuffer(mmap.mmap(file, size), dtype=torch.float32).view(shape)
        finally:
            os.close(file)

    def close(self) -> None:
        """Part from the others."""
        for other in self._sockets:
            other.close()

    def _say(self) -> None:
        for other in self._sockets:
            other.sendall(b"h")

    def _hear(self) -> None:
        for other in self._sockets:
            _require(other.recv(1))


def _require(said: bytes) -> None:
    if not said:
        raise ConnectionResetError("a rank is gone")


class Door:
    """Where the first rank lets the others in.

    Args:
        others: how many they are.
    """

    def __init__(self, others: int) -> None:
        self.name = secrets.token_hex(8)
        self._others = others
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(MEETING_SECONDS)
        self._socket.bind(_address(self.name))
        self._socket.listen(others)

    def let_in(self) -> list[socket.socket]:
        """Return a socket to each of the others.

        Raises:
            OSError: one of them does not come.
        """
        return [self._socket.accept()[0] for _ in range(self._others)]

    def close(self) -> None:
        """Let nobody in any more."""
        self._socket.close()


def knock(name: str) -> socket.socket:
    """Return a socket to the first rank, whose door has that name.

    Raises:
        OSError: it is gone.
    """
    first = socket.socket(socket.AF_UNIX)
    first.connect(_address(name))
    return first


def _address(name: str) -> str:
    return f"\0textgen-{name}"  # Linux's own kind, which is no file: it goes with its process


def here() -> str | None:
    """Return what only processes have in common that can be neighbours; none if they cannot be.

    Sockets without a file belong to a network namespace, of which a machine can have several.
    """
    try:
        return _BOOT.read_text("ascii") + str(_NETWORK.readlink())
    except OSError:  # it is not Linux
        return None
