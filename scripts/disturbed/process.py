"""A textgen command in a process of its own, on a disk that fails, or killed.

The process is forked from one that has everything imported already, which saves four seconds each
time, and the library made from disk.c is preloaded into it.
"""

import ctypes
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from textgen.cli.commands import run

_SECONDS = 120
"""After which a process hangs, and is ended."""


@dataclass(frozen=True)
class Fault:
    """Which calls fail of those that change something, by their numbers from 1, and how."""

    first: int
    last: int
    error: int
    """An error's number, or 0: the process is killed."""


NO_FAULT = Fault(0, 0, 0)


@dataclass(frozen=True)
class Outcome:
    """How a process ended."""

    status: int
    """The exit status, or the negative number of the signal that killed it."""

    errors: str
    """What it wrote to stderr."""

    calls: list[str]
    """The calls that changed something, or failed to, and their paths."""

    seconds: float


def run_disturbed(
    arguments: list[str], folder: Path, fault: Fault = NO_FAULT, kill_after: float | None = None
) -> Outcome:
    """Run a command of textgen's in a process of its own.

    Args:
        arguments: the command line.
        folder: the calls that change something below it are counted, and may fail.
        fault: which ones fail.
        kill_after: seconds after which the process is killed, if it still runs.
    """
    sys.stdout.flush()
    began = time.monotonic()
    with TemporaryFile() as errors, TemporaryFile() as calls:
        process = os.fork()
        if process == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(errors.fileno(), 2)
            os._exit(_child(arguments, folder, fault, calls.fileno()))
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        for file in (errors, calls):
            file.seek(0)
        return Outcome(
            os.waitstatus_to_exitcode(status),
            errors.read().decode(),
            calls.read().decode().splitlines(),
            time.monotonic() - began,
        )


def _child(arguments: list[str], folder: Path, fault: Fault, record: int) -> int:
    signal.alarm(_SECONDS)
    first, last = ctypes.c_long(fault.first), ctypes.c_long(fault.last)
    ctypes.CDLL(None).arm(bytes(folder), first, last, fault.error, record)
    try:
        return run(arguments)
    except BaseException:
        traceback.print_exc()
        return 70
    finally:
        sys.stderr.flush()
