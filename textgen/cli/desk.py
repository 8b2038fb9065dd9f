"""The interactive prompt: a text that its user and the model write together.

The text goes to stdout, everything else to stderr.
"""

import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from textgen.cli.guess import meant
from textgen.cli.printer import Printer, print_text
from textgen.cli.remembered import changed, remember
from textgen.cli.terminal import without_control_echo
from textgen.config import GenerationConfig
from textgen.errors import TextgenError, UsageError, os_reason
from textgen.files import write_atomically
from textgen.interrupts import StopRequest, handling
from textgen.language import Message, _, marked
from textgen.reading.short_texts import cleaned_but_for_its_ends
from textgen.runs.trained import Trained
from textgen.text.unknown import understood
from textgen.writing.decoder import Decoder
from textgen.writing.manuscript import Manuscript

log = logging.getLogger(__name__)

_HELP = marked("""\
  any text         is added to what stands, and the model goes on from there
  an empty line    the model goes on
  /again           write the last continuation anew
  /more 5          write several continuations to choose from; /2 takes the second
  /undo            take the last step back
  /new             begin a new text
  /show            print the whole text
  /save FILE       write the text into a file
  /temp 0.7        change a setting; without a value, tell it; off is its usual value
                   ({settings})
  /settings        tell them all
  /reset           set them back to what is usual
  /help            tell this
  /quit            leave, as Ctrl-D does; Ctrl-C stops a continuation""")

_SETTINGS = tuple(field.name.replace("_", "-") for field in fields(GenerationConfig))
_MOST_OFFERED = 20
_SHOWN = 200
"""Characters of the text's end that are printed after a step back."""


def write(trained: Trained, config: GenerationConfig, *, map_script: bool = False) -> None:
    """Read lines, from the terminal or a pipe, and write on, until they end.

    Args:
        trained: the model.
        config: how to draw, and where a continuation ends, to begin with.
        map_script: put what is typed into the script and the punctuation that the model knows.
    """
    desk = _Desk(trained, config, map_script=map_script)
    log.info(
        "Writing with %s. Type a beginning; an empty line goes on; /help tells the commands.",
        trained.run.name,
    )
    unusual = [f"/{name.replace('_', '-')} {value}" for name, value in changed(config).items()]
    if unusual and sys.stdin.isatty():
        log.info("%s (/reset for what is usual)", " ".join(unusual))
    for line in _lines(desk.commands):
        try:
            if not desk.obey(line):
                return
        except TextgenError as error:
            log.warning("%s", error)


class _Desk:
    """A manuscript, and the commands to work on it."""

    def __init__(self, trained: Trained, config: GenerationConfig, *, map_script: bool) -> None:
        self._trained = trained
        self._map_script = map_script
        self._manuscript = Manuscript(Decoder.of(trained), config)
        self._remembers = sys.stdin.isatty() and sys.stdout.isatty()
        self._saved: dict[Path, bytes] = {}
        self._commands: dict[str, Callable[[], None]] = {
            "again": lambda: self._print(self._manuscript.again),
            "undo": self._undo,
            "new": self._manuscript.begin_anew,
            "show": lambda: print_text(self._manuscript.version.text),
            "settings": lambda: log.info("%s", "\n".join(map(self._setting, _SETTINGS))),
            "reset": self._reset,
            "help": lambda: log.info("%s", _(_HELP).format(settings=" ".join(_SETTINGS))),
        }

    @property
    def commands(self) -> list[str]:
        """What can stand after a slash."""
        return sorted((*self._commands, "more", "save", "quit", "exit", *_SETTINGS))

    def obey(self, line: str) -> bool:
        """Do what a line says, and return whether to go on.

        Raises:
            TextgenError: it cannot be done, and nothing has changed.
        """
        if not line.startswith(("/", "／")):
            self._write(line)
            return True
        name, value, *_ = (*line[1:].split(maxsplit=1), "", "")
        command = self._find(name)
        if command in _SETTINGS:
            self._set(command, value.strip())
        elif command == "save":
            self._save(value.strip())
        elif command == "more":
            self._offer(value.strip())
        elif command.isdigit() and not value:
            self._manuscript.take(int(command))
        elif value:
            raise UsageError(
                "/{command} stands alone, without {value}", command=command, value=value
            )
        elif command in self._commands:
            self._commands[command]()
        return command not in ("quit", "exit")

    def _find(self, name: str) -> str:
        """Return the command that a name means; its beginning is enough where it is clear."""
        if name.isdecimal():
            return name
        names = self.commands
        near = [name] if name in names else meant(name, names)
        if len(near) == 1 and near[0].startswith(name):
            return near[0]
        if near:
            raise UsageError(
                "/{name} is no command: did you mean {near}? /help tells them",
                name=name,
                near=_(" or ").join(f"/{one}" for one in near),
            )
        raise UsageError("/{name} is no command: /help tells them", name=name)

    def _write(self, line: str) -> None:
        if not line:
            self._print(self._manuscript.go_on)
            return
        run = self._trained.run
        line = cleaned_but_for_its_ends(line)
        line, messages = understood(run.vocab, line, run.name, map_script=self._map_script)
        for message in messages:
            log.warning("%s", message)
        self._print(lambda stop: self._manuscript.add(line, stop), line)

    def _print(self, pieces: Callable[[StopRequest], Iterator[str]], before: str = "") -> None:
        """Print a continuation as it comes; Ctrl-C stops it, and never the program."""
        stop = StopRequest()
        with handling(stop.ask, (signal.SIGINT,)), without_control_echo():
            printer = Printer()
            printer.write(before)
            for piece in pieces(stop):
                printer.write(piece)
            printer.end()
        self._tell_seed()

    def _offer(self, count: str) -> None:
        """Print several continuations, each with its number."""
        if not count.isdecimal() or not 1 <= int(count) <= _MOST_OFFERED:
            raise UsageError("/more needs a number from 1 to {most}: /more 5", most=_MOST_OFFERED)

        def numbered(stop: StopRequest) -> Iterator[str]:
            current = 0
            for number, piece in self._manuscript.more(int(count), stop):
                if number != current:
                    yield "\n" * bool(current) + f"/{number} "
                    current = number
                yield piece

        self._print(numbered)

    def _tell_seed(self) -> None:
        """Tell the seed of a continuation that it was drawn for, so that it can be had again."""
        if self._manuscript.seed is not None:
            log.info("seed %d", self._manuscript.seed)

    def _undo(self) -> None:
        self._manuscript.undo()
        text = self._manuscript.version.text
        print_text("…" * (len(text) > _SHOWN) + text[-_SHOWN:])

    def _reset(self) -> None:
        usual = GenerationConfig()
        for field in fields(GenerationConfig):
            self._manuscript.change(field.name, getattr(usual, field.name))
        self._keep()

    def _keep(self) -> None:
        """Sample like this the next time, too, where a person types."""
        if self._remembers:
            remember(self._manuscript.config)

    def _setting(self, name: str) -> str:
        value = getattr(self._manuscript.config, name.replace("-", "_"))
        return f"/{name} {'off' if value is None else value}"

    def _set(self, name: str, value: str) -> None:
        if value:
            field = name.replace("-", "_")
            self._manuscript.change(field, _parsed(field, value))
            self._keep()
        log.info("%s", self._setting(name))

    def _save(self, name: str) -> None:
        text = self._manuscript.version.text
        if not text:
            raise UsageError("there is nothing yet to save")
        if not name and not self._saved:
            raise UsageError("/save needs a FILE to write into")
        data = f"{text}\n".encode("utf-8", "replace")
        try:
            path = Path(name).expanduser() if name else [*self._saved][-1]
            if not self._may_write(path):
                raise UsageError("{path} exists already: choose another name", path=path)
            write_atomically(path, data)
        except (OSError, ValueError, RuntimeError) as error:  # no name of a file, no such user
            reason = os_reason(error) if isinstance(error, OSError) else Message(str(error))
            raise TextgenError(
                "{path} cannot be written: {reason}", path=name, reason=reason
            ) from None
        self._saved.pop(path, None)
        self._saved[path] = data
        log.info("%s: %s characters", path, f"{len(text):,}")

    def _may_write(self, path: Path) -> bool:
        """Return whether nothing is lost: no file, or what was saved here and is unchanged."""
        return not path.exists() or (path in self._saved and self._saved[path] == path.read_bytes())


def _parsed(field: str, value: str) -> Any:  # noqa: ANN401 - of the setting's type
    if value == "off":
        return getattr(GenerationConfig(), field)
    hint = get_type_hints(GenerationConfig)[field]
    kind = next(kind for kind in get_args(hint) or (hint,) if kind is not NoneType)
    try:
        return kind(value)
    except ValueError:
        expected = {int: Message("a whole number"), float: Message("a number")}[kind]
        raise UsageError(
            "/{name} {value}: that is not {expected}; nothing has changed",
            name=field.replace("_", "-"),
            value=value,
            expected=expected,
        ) from None


def _lines(commands: Sequence[str]) -> Iterator[str]:
    """Yield what is typed, or what comes through a pipe, line by line."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        from textgen.cli.prompt import typed_lines

        yield from typed_lines(commands)
        return
    reconfigure = getattr(sys.stdin, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # bytes of another encoding are unknown, not an error
    for line in sys.stdin:
        yield line.removesuffix("\n").removesuffix("\r")
