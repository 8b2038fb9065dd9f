"""Work on many things in several processes, in their order, which ends at once with who asked."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from textgen.errors import TextgenError
from textgen.language import Language, spoken, use

Task = TypeVar("Task")
Result = TypeVar("Result")

_AHEAD = 2
"""Tasks a process that are under way or done and waiting: no result waits for long in memory."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[Result]:
    """Yield what a function makes of each task, in their order.

    Args:
        function: and what it takes and returns; all of that goes to another process and back.
        tasks: what there is to do.
        workers: how many processes there are.

    Raises:
        TextgenError: a process was killed.
    """
    waiting = deque[Future[Result]]()
    with _executor(min(workers, len(tasks))) as executor:
        try:
            for task in tasks:
                waiting.append(executor.submit(function, task))
                if len(waiting) > _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise TextgenError(
                "a process that read texts was killed, most likely for want of memory: give "
                "--workers 1, or smaller files"
            ) from None


@contextmanager
def _executor(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Yield an executor whose processes do not outlive this, whatever they are at."""
    before = {process.pid for process in multiprocessing.active_children()}
    # Neither this process's threads nor its locks go to another one.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin, (spoken(),)) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                if process.pid not in before:
                    process.terminate()
            raise


def _begin(language: Language) -> None:
    """Speak as who asked does, leave Ctrl-C to it, and end with it however it ends."""
    use(language)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
