"""The beginnings that a command is given: on the command line, in a file, through a pipe."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.errors import TextgenError, UsageError

if TYPE_CHECKING:
    from textgen.runs.trained import Trained

log = logging.getLogger(__name__)

_PIPE = "-"
"""What stands for standard input."""


def beginnings(prefix: str | None, prefix_file: Path | None, prefixes: Path | None) -> list[str]:
    """Return the texts to go on from: one, or with ``prefixes`` one a line.

    Raises:
        UsageError: there is none, or there are two sources.
        TextgenError: a file cannot be read.
    """
    flags = {"--prefix": prefix, "--prefix-file": prefix_file, "--prefixes": prefixes}
    given = [flag for flag, value in flags.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are two beginnings: give one of them")
    if prefix is not None:
        return [_read(_PIPE) if prefix == _PIPE else prefix]
    if prefix_file is not None:
        return [_read(prefix_file)]
    if prefixes is None:
        raise UsageError("generate needs a beginning: --prefix TEXT or --prefix-file FILE")
    lines = _read(prefixes).split("\n")
    found = [line for line in lines if line.strip()]
    if len(found) < len(lines):
        log.info("%s: blank lines left out: %d", prefixes, len(lines) - len(found))
    return found


def understood_by(trained: "Trained", starts: Sequence[str], *, map_script: bool) -> list[str]:
    """Return the beginnings as the model will read them, and tell what it does not know."""
    from textgen.text.unknown import understood

    read = []
    for number, start in enumerate(starts, start=1):
        mapped, messages = understood(trained.vocab, start, trained.run.name, map_script=map_script)
        for message in messages:
            log.warning("%s%s", f"Beginning {number}: " if len(starts) > 1 else "", message)
        read.append(mapped)
    return read


def _read(source: Path | str) -> str:
    """Return a file's text, or what comes through a pipe, without the newline at its end."""
    from textgen.reading.cleaning import clean
    from textgen.reading.corpus import read_corpus
    from textgen.reading.encodings import decode

    if str(source) != _PIPE:
        return read_corpus([Path(source)]).text.rstrip("\n")
    if sys.stdin.isatty():
        log.info("Type the beginning; Ctrl-D ends it.")
    data = sys.stdin.buffer.read()
    if not data.strip():
        raise TextgenError("standard input brings no beginning: echo 却说 | textgen generate ...")
    return clean(decode(data, Path("standard input")).text).text.rstrip("\n")
