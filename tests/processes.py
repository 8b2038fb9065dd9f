"""Processes that tests start: real ones, none left behind, and none waited for without an end."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import AnyStr

MOST_SECONDS = 200.0
"""How long a process may live, and what waits for one; less than the timeout of a whole test."""

FOR_ALL_TESTS = 3600.0
"""How long one may live that many tests share."""


@contextmanager
def killing(
    process: subprocess.Popen[AnyStr], seconds: float = MOST_SECONDS
) -> Iterator[subprocess.Popen[AnyStr]]:
    """Kill a process in the end, however the test goes, and wait until it is gone.

    Args:
        process: what was started.
        seconds: until it is killed in any case: then what it writes has an end, and whoever reads
            that, or waits for it, goes on.
    """
    last = threading.Timer(seconds, process.kill)
    last.daemon = True
    last.start()
    with process:
        try:
            yield process
        finally:
            last.cancel()
            process.kill()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
