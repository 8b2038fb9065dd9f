"""Texts on their way into a store: on the disk, under ids that only their part knows.

Which id a character has is known only when all texts are read. So every part of the files, whoever
reads it, numbers characters as they come, and says which character each number is.

Shapes: n characters of a text, k different ones in a part.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.config import ReadingConfig
from textgen.errors import TextgenError, os_reason
from textgen.language import Message
from textgen.reading.corpus import SourceFile, read_corpus
from textgen.text.store import Ids, bytes_per_token, id_type
from textgen.text.vocab import CODE_POINTS, code_points, pieces_of


class File(NamedTuple):
    """A file to be read."""

    path: Path
    size: int
    named: bool
    """Whether it was named: then it must be readable. What only lies in a folder may be left
    out."""


class Task(NamedTuple):
    """Files to be read by one process, one after the other."""

    files: tuple[File, ...]
    out: Path
    """The file that their ids go into."""

    reading: ReadingConfig


@dataclass(frozen=True)
class ReadText:
    """A text that was read."""

    path: Path
    encoding: str
    sha256: str
    """Of its clean text in UTF-8."""

    count: int
    """n."""

    out: Path
    """Where its ids are."""

    offset: int
    """Where they begin there, in bytes."""

    bytes_per_id: int

    oddities: tuple[str, ...]
    """Lines to show."""

    def ids(self, begin: int, end: int) -> Ids:
        """Return the provisional ids of its characters from a first to before a last one."""
        return np.fromfile(
            self.out,
            id_type(self.bytes_per_id),
            end - begin,
            offset=self.offset + begin * self.bytes_per_id,
        )


@dataclass(frozen=True)
class Part:
    """What came of a task."""

    code_points: NDArray[np.int32]
    """Which character each provisional id is, (k,)."""

    texts: tuple[ReadText, ...]
    left_out: tuple[tuple[Path, Message], ...]
    size: int
    """Bytes of the files."""


class _Numbering:
    """Numbers characters as they come."""

    def __init__(self) -> None:
        self._id_of = np.full(CODE_POINTS, -1, np.int32)
        self.count = 0

    def learn(self, text: str) -> None:
        """Number the characters of a text that have no number yet."""
        for piece in pieces_of(text):
            found = code_points(text[piece])
            new = np.unique(found[self._id_of[found] < 0])
            self._id_of[new] = np.arange(self.count, self.count + len(new))
            self.count += len(new)

    def ids(self, text: str) -> NDArray[np.int32]:
        """Return the numbers of the characters of a text that was learned."""
        numbers: NDArray[np.int32] = self._id_of[code_points(text)]
        return numbers

    @property
    def code_points(self) -> NDArray[np.int32]:
        """Which character each number is, (k,)."""
        known = np.flatnonzero(self._id_of >= 0).astype(np.int32)
        return known[np.argsort(self._id_of[known])]


def read_part(task: Task) -> Part:
    """Read files, and write what they hold as provisional ids.

    Raises:
        TextgenError: a file that was named cannot be read.
        OSError: the ids cannot be written.
    """
    numbering = _Numbering()
    texts: list[ReadText] = []
    left_out: list[tuple[Path, Message]] = []
    with task.out.open("xb") as out:
        for file in task.files:
            try:
                found, omitted = _read(file.path, task.reading)
            except TextgenError as error:
                if file.named:
                    raise
                left_out.append((file.path, error))
                continue
            left_out += omitted
            while found:  # of a large file, one text at a time is enough
                one = found.pop(0)
                digest, offset = sha256(), out.tell()
                numbering.learn(one.text)
                size = bytes_per_token(numbering.count)
                for piece in pieces_of(one.text):
                    digest.update(one.text[piece].encode())
                    out.write(numbering.ids(one.text[piece]).astype(id_type(size)).data)
                texts.append(
                    ReadText(
                        one.path,
                        one.encoding,
                        digest.hexdigest(),
                        len(one.text),
                        task.out,
                        offset,
                        size,
                        tuple(one.oddities()),
                    )
                )
    size = sum(file.size for file in task.files)
    return Part(numbering.code_points, tuple(texts), tuple(left_out), size)


def _read(
    path: Path, reading: ReadingConfig
) -> tuple[list[SourceFile], tuple[tuple[Path, Message], ...]]:
    """Return the texts that a file holds, and what in it is left out.

    Raises:
        TextgenError: it cannot be read, or somebody wrote to it meanwhile.
    """
    before = _state(path)
    corpus = read_corpus([path], reading)
    if _state(path) != before:
        raise TextgenError(
            "{path} changed while it was read: read it again when nobody writes to it", path=path
        )
    return list(corpus.files), corpus.omitted


def _state(path: Path) -> tuple[int, int] | None:
    """Return what changes when somebody writes to a file."""
    try:
        found = path.stat()
    except OSError as error:
        raise TextgenError(
            "{path} cannot be read: {reason}", path=path, reason=os_reason(error)
        ) from None
    return found.st_size, found.st_mtime_ns
