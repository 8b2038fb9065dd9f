"""The beginnings that a command is given: on the command line, in a file, through a pipe."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.errors import TextgenError, UsageError, os_reason
from textgen.language import _

if TYPE_CHECKING:
    from textgen.runs.trained import Trained
    from textgen.text.vocab import Vocab

log = logging.getLogger(__name__)

_PIPE = "-"
"""What stands for standard input."""


@dataclass(frozen=True)
class Given:
    """What there is to go on from, before a model tells in which encoding it is."""

    data: bytes | str
    """Bytes, but for what stands on the command line: there white space at its ends is meant."""

    path: Path
    """Where it is from, for messages."""

    one_a_line: bool = False
    encoding: str | None = None
    """Found out when not given."""


def given(
    prefix: str | None, prefix_file: Path | None, prefixes: Path | None, encoding: str | None
) -> Given | None:
    """Return what the flags give to go on from, if anything.

    Raises:
        UsageError: there are two sources.
        TextgenError: a file cannot be read.
    """
    flags = {"--prefix": prefix, "--prefix-file": prefix_file, "--prefixes": prefixes}
    named = [flag for flag, value in flags.items() if value is not None]
    if len(named) > 1:
        raise UsageError(
            "{flags} are two beginnings: give one of them", flags=_(" and ").join(named)
        )
    if not named:
        return None
    path = prefix_file or prefixes
    if prefix is not None and prefix != _PIPE:
        if encoding is not None:
            raise UsageError(
                "--encoding is that of a file or a pipe: leave it out, or give --prefix-file FILE"
            )
        return Given(prefix, Path("--prefix"))
    if path is None or str(path) == _PIPE:
        data, path = _piped(), Path(_("standard input"))
    else:
        data = _content(path)
    return Given(data, path, one_a_line=prefixes is not None, encoding=encoding)


def require_beginning(of: Given | None, root: Path, name: str | None) -> None:
    """Refuse to begin with nothing, unless the run that is meant writes items.

    Raises:
        UsageError: it does not.
        TextgenError: there is no such run.
    """
    from textgen.runs.finding import newest_checkpoints
    from textgen.runs.trained import find_to_write

    if of is not None:
        return
    there_is_one = name is not None or newest_checkpoints(root)
    if not there_is_one or find_to_write(root, name).end is None:
        raise UsageError("generate needs a beginning: --prefix TEXT or --prefix-file FILE")


def beginnings(of: Given | None, trained: "Trained", *, map_script: bool) -> list[str]:
    """Return the texts to go on from as the model will read them, and tell what is odd about them.

    Raises:
        TextgenError: it is no text, or for ``map_script``, OpenCC is not installed.
    """
    if of is None:
        return [""]
    from textgen.text.unknown import understood

    text = _text(of, trained.vocab)
    starts = [text]
    if of.one_a_line:
        lines = text.split("\n")
        starts = [line for line in lines if line.strip()]
        if len(starts) < len(lines):
            log.info("%s: blank lines left out: %d", of.path, len(lines) - len(starts))
    read = []
    for number, start in enumerate(starts, start=1):
        mapped, messages = understood(trained.vocab, start, trained.run.name, map_script=map_script)
        for message in messages:
            if len(starts) > 1:
                log.warning("Beginning %d: %s", number, message)
            else:
                log.warning("%s", message)
        read.append(mapped)
    return read


def _text(of: Given, vocab: "Vocab") -> str:
    """Return the clean text."""
    from textgen.reading.short_texts import cleaned, cleaned_but_for_its_ends

    if isinstance(of.data, bytes):
        text = cleaned("\n".join(_contained(of.data, of, vocab)))
        if not text:
            raise TextgenError("{path} is empty: it has no character to go on from", path=of.path)
        return text
    text = of.data
    if any("\udc80" <= character <= "\udcff" for character in text):
        # Bytes that are no UTF-8 come from a terminal in another encoding.
        text = _decoded(os.fsencode(text), of, vocab)
    return cleaned_but_for_its_ends(text)


def _contained(data: bytes, of: Given, vocab: "Vocab") -> Iterator[str]:
    """Yield the texts that a file holds, a book or an archive as well; a plain text is its own."""
    from textgen.reading.containers import LeftOut, parts
    from textgen.reading.order import natural_key

    for part in sorted(
        parts(of.path, data, of.encoding), key=lambda part: natural_key(Path(part.name))
    ):
        if isinstance(part, LeftOut):
            log.info("%s %s: left out", part.name, part.reason)
        else:
            yield _decoded(part.data, of, vocab) if part.text is None else part.text


def _decoded(data: bytes, of: Given, vocab: "Vocab") -> str:
    """Return the text of bytes, in the encoding that the model is most familiar with."""
    from textgen.reading.encodings import decode
    from textgen.reading.short_texts import LONGEST, decodings, most_familiar

    if of.encoding is not None:
        with contextlib.suppress(LookupError, ValueError):
            return data.decode(of.encoding)
    elif len(data) <= LONGEST and (found := decodings(data)):
        encoding = most_familiar(found, vocab)
        if not encoding.startswith("utf-8"):
            log.info("%s: read as %s (--encoding tells another)", of.path, encoding)
        return found[encoding]
    decoded = decode(data, of.path, of.encoding)  # who says what is wrong
    if decoded.damage is not None:
        log.warning("%s: %s", of.path, decoded.damage.describe(decoded.encoding))
    return decoded.text


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise TextgenError("{path} does not exist; give a text file", path=path) from None
    except OSError as error:
        raise TextgenError(
            "{path} cannot be read: {reason}; give a text file", path=path, reason=os_reason(error)
        ) from None


def _piped() -> bytes:
    if sys.stdin.isatty():
        log.info("Type the beginning; Ctrl-D ends it.")
    data = sys.stdin.buffer.read()
    if not data.strip():
        raise TextgenError("standard input brings no beginning: echo 却说 | textgen generate ...")
    return data
