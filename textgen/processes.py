"""Work on many things in several processes, which ends at once with who asked for it.

They are plain processes that are asked through pipes, rather than those of ``multiprocessing``:
those would run a user's script once more, or copy a process that has threads. What goes through a
pipe is pickled, as it is there: it comes from a process of our own.
"""

import os
import pickle
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from textgen.errors import TextgenError
from textgen.language import spoken, use

Task = TypeVar("Task")
Result = TypeVar("Result")

_CODE = "from textgen.processes import serve; serve()"

_AHEAD = 2
"""Tasks a process that are under way or done and waiting: no result waits for long in memory."""

_WATCHED_SECONDS = 0.5
"""How often a process looks whether who has started it is still there."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_processes(
    function: Callable[[Task], Result], tasks: Iterable[Task], count: int
) -> Generator[Result]:
    """Yield what a function makes of each task, in their order; who stops listening ends it all.

    Args:
        function: of a module; what it takes and returns goes to another process and back.
        tasks: what there is to do, asked for as processes get to it.
        count: how many processes there are.

    Raises:
        TextgenError: what the function raises, or a process was killed.
        OSError: what the function raises.
    """
    idle = SimpleQueue[subprocess.Popen[bytes]]()

    def done(task: Task) -> Result:
        process = idle.get()
        try:
            result: Result = _answer(process, task)
        finally:
            idle.put(process)
        return result

    waiting = deque[Future[Result]]()
    with ExitStack() as stack:
        waiters = ThreadPoolExecutor(max(1, count))  # each for a process
        stack.callback(waiters.shutdown, cancel_futures=True)  # once the processes have ended
        for _ in range(count):
            idle.put(stack.enter_context(_process(function)))
        for task in tasks:
            waiting.append(waiters.submit(done, task))
            if len(waiting) > _AHEAD * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _process(function: Callable[..., object]) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a process that works by a function; it ends with this, at once where it is at work."""
    process = subprocess.Popen(  # noqa: S603 - a fixed command
        [sys.executable, "-c", _CODE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for who has started it, and ends it
    )
    try:
        _say(process, (function, spoken()))
        yield process
    except BaseException:
        process.kill()
        raise
    finally:
        process.communicate()  # it hears that nothing more comes


def _answer(process: "subprocess.Popen[bytes]", task: object) -> Any:  # noqa: ANN401
    """Return what a process makes of a task.

    Raises:
        TextgenError: it was killed; or what it raised.
        OSError: what it raised.
    """
    _say(process, task)
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe
        result, error = pickle.load(process.stdout)  # noqa: S301
    except (EOFError, OSError, ValueError, pickle.UnpicklingError):
        raise _killed() from None
    if error is not None:
        raise error
    return result


def _say(process: "subprocess.Popen[bytes]", what: object) -> None:
    try:
        assert process.stdin is not None  # noqa: S101 - a pipe
        process.stdin.write(pickle.dumps(what))
        process.stdin.flush()
    except (OSError, ValueError):
        raise _killed() from None


def _killed() -> TextgenError:
    return TextgenError(
        "a process that worked on the text was killed, most likely for want of memory: free some, "
        "or give less text, or smaller files"
    )


def serve() -> None:
    """Work on what comes in until nothing more does: this is what such a process runs."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what somebody prints is no answer
    try:
        function, language = pickle.load(asked)  # noqa: S301
    except EOFError:  # who started this was stopped before saying what for
        return
    use(language)
    while True:
        try:
            task = pickle.load(asked)  # noqa: S301
        except EOFError:
            return
        answer: tuple[object, Exception | None]
        try:
            answer = function(task), None
        except (TextgenError, OSError) as error:
            answer = None, error
        answers.write(pickle.dumps(answer))
        answers.flush()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCHED_SECONDS)
    os._exit(1)
