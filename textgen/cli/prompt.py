"""Lines typed at a prompt that knows wide characters, and remembers what was typed before."""

import contextlib
import logging
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory

from textgen.cli.remembered import state_folder
from textgen.interrupts import handling

log = logging.getLogger(__name__)


def typed_lines(commands: Sequence[str]) -> Iterator[str]:
    """Yield line after line until Ctrl-D. Ctrl-C empties the line, and never ends the program.

    Args:
        commands: what Tab completes after a slash.
    """
    session: PromptSession[str] = PromptSession(
        history=_History(history_file()),
        completer=_Commands(commands),
        complete_while_typing=False,
    )
    # At the prompt Ctrl-C comes as a key.
    with handling(lambda *_: None, (signal.SIGINT,)), contextlib.suppress(EOFError):
        while True:
            try:
                yield session.prompt("> ")
            except KeyboardInterrupt:
                log.info("Ctrl-D leaves.")


def history_file() -> Path:
    """Return where the lines are kept: with the user's own, as they may be private."""
    folder = state_folder()
    return Path(os.devnull) if folder is None else folder / "history"


class _Commands(Completer):
    """Completes commands, and after /save the names of files."""

    def __init__(self, commands: Sequence[str]) -> None:
        self._commands = commands
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
        text = document.text_before_cursor
        if text.startswith("/save "):
            name = Document(text.removeprefix("/save ").lstrip())
            yield from self._paths.get_completions(name, event)
        elif text.startswith(("/", "／")):
            for command in self._commands:
                if command.startswith(text[1:]):
                    yield Completion(command, start_position=1 - len(text))


class _History(FileHistory):
    """A history that nobody else can read, and that is forgotten where it cannot be kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(str(path))

    def load_history_strings(self) -> Iterable[str]:
        try:
            return super().load_history_strings()
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            super().store_string(string)
        except OSError:
            log.debug("%s cannot be written", self._path)
