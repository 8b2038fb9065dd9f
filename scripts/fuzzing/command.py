"""A command of textgen's, run in this process, and what its user would see of it."""

import contextlib
import io
import json
import os
import re
import signal
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from cyclopts import App

from textgen.cli.commands import app as textgen_app
from textgen.cli.process import run_command

_STATUSES = (0, 1, 2, 130)

_SECONDS_TO_STOP = 10.0
_SECONDS_LATER = 0.05


class WrongError(Exception):
    """What textgen did that it must not do."""


class _Terminal(io.TextIOWrapper):
    """A stream that textgen takes for a terminal."""

    def isatty(self) -> bool:
        return True


def outcome(
    command: Sequence[str] | Callable[[], object],
    *,
    stdin: bytes = b"",
    terminal: bool = False,
    interrupt: float | None = None,
) -> str:
    """Run a command; return whether it worked, or was refused in one line.

    Args:
        command: the command line; or a call, to save the tenth of a second that reading one takes.
        stdin: what is typed, or comes through a pipe.
        terminal: whether the result goes to a terminal, on which nothing may steer it.
        interrupt: seconds after which Ctrl-C is pressed.

    Raises:
        WrongError: it did neither.
    """
    kind = _Terminal if terminal else io.TextIOWrapper
    before = sys.stdin, sys.stdout, sys.stderr
    with _memory() as typed, _memory() as printed, _memory() as told:
        typed.write(stdin)
        typed.seek(0)
        sys.stdin = io.TextIOWrapper(_again(typed), "utf-8")
        sys.stdout = kind(_again(printed), "utf-8", newline="")
        sys.stderr = io.TextIOWrapper(_again(told), "utf-8", newline="")
        try:
            with _pressing(interrupt):
                app, arguments = (
                    (_app(command), []) if callable(command) else (textgen_app, list(command))
                )
                status = run_command(app, arguments)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            sys.stdin, sys.stdout, sys.stderr = before
        out, err = (_content(file) for file in (printed, told))
    _look_at(status, err)
    helps = not callable(command) and _asks_for_help(command)
    if terminal and not helps:
        _require_harmless(out, "stdout")
    is_json = out.startswith("{") if callable(command) else "--json" in command and not helps
    if status == 0 and is_json:
        for line in out.splitlines():
            json.loads(line, parse_constant=_no_number)
    return "worked" if status in (0, 130) else "refused"


def _asks_for_help(command: Sequence[str]) -> bool:
    """Return whether a command line asks for help, which has its own colours and is no JSON."""
    return len(command) <= 1 or not {"--help", "-h"}.isdisjoint(command)


def _app(call: Callable[[], object]) -> App:
    """Return an app whose only command is a call."""
    app = App(result_action="return_value", suppress_keyboard_interrupt=False)

    @app.default
    def only() -> None:
        call()

    return app


def _memory() -> io.BufferedRandom:
    return open(os.memfd_create("stream"), "r+b")  # noqa: PTH123 - a file without a name


def _again(file: io.BufferedRandom) -> io.BufferedRandom:
    """Return a file once more, since textgen may put another one in its place."""
    return open(os.dup(file.fileno()), "r+b")  # noqa: PTH123


def _content(file: io.BufferedRandom) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


@contextlib.contextmanager
def _pressing(seconds: float | None) -> Iterator[None]:
    """Press Ctrl-C after so many seconds, and then again, until what runs has ended."""
    if seconds is None:
        yield
        return
    signal.signal(signal.SIGALRM, _press)
    signal.setitimer(signal.ITIMER_REAL, seconds, _SECONDS_LATER)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _press(_signal: int, frame: FrameType | None) -> None:
    """Press Ctrl-C if textgen is running right now, and else a moment later.

    While Python imports, it loses a KeyboardInterrupt at times, and says so itself.
    """
    codes = []
    while frame is not None:
        codes.append(frame.f_code)
        frame = frame.f_back
    imports = any(code.co_filename.startswith("<frozen importlib") for code in codes)
    if run_command.__code__ in codes and not imports:
        signal.setitimer(signal.ITIMER_REAL, _SECONDS_TO_STOP)
        signal.raise_signal(signal.SIGINT)


def _look_at(status: int, err: str) -> None:
    if status not in _STATUSES:
        raise WrongError(f"status {status}: {err}")
    _require_harmless(err, "stderr")
    if "Traceback (most" in err or re.search(r"\b\w+Warning:", err):
        raise WrongError(err)
    if "not enough memory for this" in err:
        raise WrongError("it ran out of memory")
    refusals = [line for line in err.splitlines() if line.startswith("textgen: ")]
    if len(refusals) != (status != 0):
        raise WrongError(f"status {status}, and {len(refusals)} lines that say why: {err}")
    if status != 0 and not err.rstrip("\n").rpartition("\n")[2].startswith("textgen: "):
        raise WrongError(f"more than one line: {err}")


def _require_harmless(text: str, where: str) -> None:
    odd = {c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t"}
    if odd:
        raise WrongError(f"{odd} on {where}: {text[-400:]!r}")


def require_escaped(path: Path, mark: str) -> None:
    """Make sure that no text of a page is HTML.

    Raises:
        WrongError: one is.
    """
    if path.exists() and mark.encode() in path.read_bytes():
        text = path.read_text("utf-8")
        place = text.index(mark)
        raise WrongError(f"{path.name} has HTML: {text[max(0, place - 80) : place + 80]!r}")


def _no_number(name: str) -> NoReturn:
    raise WrongError(f"{name} in JSON")


def in_folder(folder: Path) -> None:
    """Stand in a folder, whose own home and place for temporary files is."""
    os.chdir(folder)
    tempfile.tempdir = str(folder)
    os.environ["HOME"] = str(folder / "home")
    os.environ["XDG_STATE_HOME"] = str(folder / "home")
