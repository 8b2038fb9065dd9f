"""Lines typed at a prompt that knows wide characters, and remembers what was typed before."""

import contextlib
import logging
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory

from textgen.interrupts import handling

log = logging.getLogger(__name__)


def typed_lines() -> Iterator[str]:
    """Yield line after line until Ctrl-D. Ctrl-C empties the line, and never ends the program."""
    session: PromptSession[str] = PromptSession(history=_History(history_file()))
    # At the prompt Ctrl-C comes as a key.
    with handling(lambda *_: None, (signal.SIGINT,)), contextlib.suppress(EOFError):
        while True:
            try:
                yield session.prompt("> ")
            except KeyboardInterrupt:
                log.info("Ctrl-D leaves.")


def history_file() -> Path:
    """Return where the lines are kept: with the user's own, as they may be private."""
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:  # a user without a home
        return Path(os.devnull)
    return Path(state) / "textgen" / "history"


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
