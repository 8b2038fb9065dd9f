"""What stands around every command: streams, messages, and errors in one line."""

import codecs
import contextlib
import io
import logging
import os
import signal
import sys
from pathlib import Path

from cyclopts import App, CycloptsError
from cyclopts.exceptions import UnknownOptionError

from textgen.config import DEFAULT_CHECKPOINTS
from textgen.errors import TextgenError, UsageError
from textgen.names import readable


def run_command(app: App, arguments: list[str]) -> int:
    """Run a command of the app; return the exit status.

    What the user can mend is printed as one line. Everything else is a mistake of the program's,
    and keeps its traceback.
    """
    _prepare_streams()
    logger = logging.getLogger("textgen")
    logger.handlers = [_Messages()]
    logger.setLevel(logging.INFO)
    try:
        _call(app, arguments)
        sys.stdout.flush()
    except CycloptsError as error:
        return _fail(str(error), UsageError.exit_status)
    except TextgenError as error:
        return _fail(str(error), error.exit_status)
    except KeyboardInterrupt:
        return _fail("stopped", 128 + signal.SIGINT)
    except BrokenPipeError:
        _forget_stdout()  # who read it has gone, and that is no mistake
    except OSError as error:
        _forget_stdout()
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror}", TextgenError.exit_status)
    return 0


def _call(app: App, arguments: list[str]) -> None:
    """Run a command, and say in words what this machine lacks for it.

    Raises:
        TextgenError: it lacks memory, or torch.
    """
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except UnknownOptionError as error:
        name = error.token.keyword or error.token.value
        if name not in arguments or not _is_there(name):
            raise
        place = arguments.index(name)
        _call(app, [*arguments[:place], f"./{name}", *arguments[place + 1 :]])
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise TextgenError(
            "this needs PyTorch, and only writing does without: pip install torch"
        ) from None
    except (MemoryError, RuntimeError) as error:
        if "allocate memory" not in str(error) and not isinstance(error, MemoryError):
            raise
        raise TextgenError(
            "there is not enough memory for this: take a smaller --hidden-size, --batch-size "
            "or --num-steps"
        ) from None


def _is_there(name: str) -> bool:
    """Return whether what looks like an option is a file or a run: -5度.txt is a name, too."""
    return any((folder / name).exists() for folder in (Path(), Path(DEFAULT_CHECKPOINTS)))


class _Messages(logging.Handler):
    """Prints messages on stderr, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        with contextlib.suppress(BrokenPipeError):  # nobody reads the messages any more
            tqdm.write(readable(self.format(record)), file=sys.stderr)


def _prepare_streams() -> None:
    """Make sure that there are streams, and that they take whatever is written."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who called
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115, PTH123
    codecs.register_error("textgen", _bytes_of_names)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="textgen")


def _bytes_of_names(error: UnicodeError) -> tuple[str | bytes, int]:
    """Give a name's bytes back that are no UTF-8, and ? for what a terminal's encoding lacks."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.replace_errors(error)


def _forget_stdout() -> None:
    """Make Python's last flush of what cannot be written succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, status: int) -> int:
    with contextlib.suppress(BrokenPipeError):
        print(f"textgen: {' '.join(readable(message).split())}", file=sys.stderr)
    return status
