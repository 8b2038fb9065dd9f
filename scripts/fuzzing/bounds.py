"""What a process that fuzzes may do: so much time and memory, and write in one folder only."""

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 20
"""Of the processor's time that one mutation may take, at most."""

GIGABYTES = 2
"""Of memory that a process may take beside what it has at its start."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_PATHS: dict[str, tuple[int, ...]] = {
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.utime": (0,),
}
"""Which arguments of what Python does to files are the paths that it changes."""


class TooLong(BaseException):
    """A mutation that takes more time than it may."""


class Bounds:
    """Where this process may write, and how much it may take.

    Args:
        folder: where it may.
        tell: called with what it tries elsewhere, which fails.
    """

    def __init__(self, folder: Path, tell: Callable[[str], object]) -> None:
        self._folder = folder
        self._tell = tell

    def enter(self) -> None:
        """Bound this process, for as long as it lives."""
        sys.dont_write_bytecode = True
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + (GIGABYTES << 30)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        signal.signal(signal.SIGVTALRM, _too_long)
        sys.addaudithook(self._look)

    def begin(self) -> None:
        """Begin to count a mutation's time; what does not hear that it is over is ended."""
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        used = resource.getrusage(resource.RUSAGE_SELF)
        last = int(used.ru_utime + used.ru_stime) + 2 * SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (last, resource.RLIM_INFINITY))

    def end(self) -> None:
        """Stop to count."""
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("subprocess.Popen", "os.posix_spawn", "os.system", "os.exec"):
            raise PermissionError(1, "nothing is started here")
        if event == "socket.getaddrinfo" and not _is_near(arguments[0]):
            raise socket.gaierror(-2, "no names are asked for here")
        for path in _changed(event, arguments):
            if not self._may_change(path):
                self._tell(f"{event} {path!r}")
                raise PermissionError(1, "outside of the folder", path)

    def _may_change(self, path: str) -> bool:
        whole = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH118, PTH119, PTH120 - as fast as can be
        return whole == os.devnull or whole.startswith(f"{self._folder}/")


def _changed(event: str, arguments: tuple[Any, ...]) -> list[str]:
    """Return the paths that an event changes; those below open folders are no names of files."""
    if event == "open":
        path, mode, flags = arguments
        writes = bool(flags & _WRITES) if mode is None else not set(mode).isdisjoint("wax+")
        return [os.fsdecode(path)] if writes and not isinstance(path, int) else []
    paths = [arguments[place] for place in _PATHS.get(event, ())]
    folders = [one for one in arguments[len(paths) :] if isinstance(one, int) and one > 2]
    if folders and event in ("os.remove", "os.rmdir"):
        root = os.readlink(f"/proc/self/fd/{folders[-1]}")  # noqa: PTH115
        return [f"{root}/{os.fsdecode(path)}" for path in paths]
    return [os.fsdecode(path) for path in paths if not isinstance(path, int)]


def _is_near(host: object) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    return name in ("localhost", "None", "") or set(name) <= set("0123456789abcdef.:")


def _too_long(*_signal: object) -> None:
    raise TooLong(f"more than {SECONDS} s of the processor's time")
