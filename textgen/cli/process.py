"""What stands around every command: streams, messages, and errors in one line."""

import codecs
import contextlib
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path

from cyclopts import App, CycloptsError
from cyclopts.exceptions import UnknownOptionError

from textgen.cli.chosen_language import chosen_language
from textgen.cli.guess import in_words
from textgen.cli.printer import fitted
from textgen.config import DEFAULT_CHECKPOINTS
from textgen.errors import TextgenError, UsageError, os_reason
from textgen.language import TranslatingFormatter, _, use
from textgen.names import readable
from textgen.training.world import World

_arguments: ContextVar[Sequence[str]] = ContextVar("arguments", default=())


def command_line() -> list[str]:
    """Return the words of the command line that is being run."""
    return ["textgen", *_arguments.get()]


def run_command(app: App, arguments: list[str]) -> int:
    """Run a command of the app; return the exit status.

    What the user can mend is printed as one line. Everything else is a mistake of the program's,
    and keeps its traceback.
    """
    _prepare_streams()
    use()
    try:
        language, arguments = chosen_language(arguments)
    except UsageError as error:
        return _fail(str(error), error.exit_status)
    if language is not None:
        use(language)
    _arguments.set(arguments)
    logger = logging.getLogger("textgen")
    training = arguments[:1] == ["train"]
    logger.handlers = [_Messages(training=training)]
    logger.setLevel(logging.INFO)
    try:
        return _status(app, arguments, training=training)
    except KeyboardInterrupt:  # also while something else is being told
        return _fail(_("stopped"), 128 + signal.SIGINT)


def _status(app: App, arguments: list[str], *, training: bool) -> int:
    """Run a command, tell what went wrong in one line, and return the exit status."""
    try:
        if training and (world := World.of(os.environ)) is not None:
            _call_together(app, arguments, world)
        else:
            _call(app, arguments)
        sys.stdout.flush()
    except CycloptsError as error:
        return _fail(in_words(error, arguments), UsageError.exit_status)
    except TextgenError as error:
        return _fail(str(error), error.exit_status)
    except BrokenPipeError:
        _forget_streams()  # who read it has gone, and that is no mistake, unless work was left
        return TextgenError.exit_status if training else 0
    except OSError as error:
        _forget_streams()
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{os_reason(error)}", TextgenError.exit_status)
    return 0


def _call_together(app: App, arguments: list[str], world: World) -> None:
    """Run a command in the first of several ranks, and have the others train with it."""
    from textgen.training.following import follow
    from textgen.training.leading import dismiss
    from textgen.training.ranks import joined

    with joined(world, arguments) as ranks:
        if not ranks.is_first:
            follow(ranks)
            return
        try:
            _call(app, arguments)
        finally:
            dismiss(ranks)


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
    """Prints messages on stderr, above a progress bar if there is one.

    Where nobody reads them any more, a training ends, and has saved itself: what goes on for hours
    must not go on unheard, since what it has to say may be that it goes wrong. Other commands go
    on.

    Args:
        training: whether it is one.
    """

    def __init__(self, *, training: bool) -> None:
        super().__init__()
        self.setFormatter(TranslatingFormatter())
        self._suppressed = () if training else (BrokenPipeError,)

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        with contextlib.suppress(*self._suppressed):
            tqdm.write(fitted(readable(self.format(record)), sys.stderr), file=sys.stderr)
            sys.stderr.flush()


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


def _forget_streams() -> None:
    """Make Python's last flush of what cannot be written succeed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(message: str, status: int) -> int:
    try:
        line = f"textgen: {' '.join(readable(message).split())}"
        print(fitted(line, sys.stderr), file=sys.stderr, flush=True)
    except OSError:
        _forget_streams()
    return status
