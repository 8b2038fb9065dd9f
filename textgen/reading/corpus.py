"""Files and folders to one text, and what there is to tell about it."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from textgen.config import Items, ReadingConfig
from textgen.errors import TextgenError, os_reason
from textgen.language import Message, _
from textgen.names import readable
from textgen.reading.cleaning import Cleaned, clean
from textgen.reading.containers import LeftOut, Part, parts
from textgen.reading.damage import Damage
from textgen.reading.encodings import Decoded, decode
from textgen.reading.folders import look_into, require_file
from textgen.reading.order import natural_key
from textgen.text.characters import count_characters
from textgen.text.items import closed

log = logging.getLogger(__name__)

_LARGE = 20_000_000
"""Bytes from which on it is told that they are being read: it takes a second or more."""

_MANY = 20
"""Files of which each has a line of its own."""

_NAMED = 5
"""Files that a message names of those that are left out."""


@dataclass(frozen=True)
class SourceFile:
    """One file as it was read."""

    path: Path
    """Where it is, and in an archive, how it is called there."""

    encoding: str
    cleaned: Cleaned
    damage: Damage | None = None
    kind: Message | None = None
    """What it turned out to be, where it is no plain text."""

    @property
    def text(self) -> str:
        """Its clean text."""
        return self.cleaned.text

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each character occurs in that."""
        return count_characters(self.text)

    def describe(self) -> list[str]:
        """Return lines to show: what it is, what was changed, and all that is odd."""
        kinds = [str(self.kind)] * (self.kind is not None)
        about = _(
            "{path}: {kind}, {characters:,} characters, {distinct:,} distinct; cleaned: {changed}"
        ).format(
            path=readable(self.path),
            kind=_(", ").join([*kinds, self.encoding]),
            characters=len(self.text),
            distinct=len(self.counts),
            changed=_changed(self.cleaned.changes),
        )
        return [about, *self.oddities()]

    def oddities(self) -> list[str]:
        """Return lines about what does not fit, is kept unasked, or could be put right."""
        lines = []
        if self.damage is not None:
            lines.append(self.damage.describe(self.encoding))
        if self.cleaned.kept == "code":
            lines.append(
                _(
                    "this looks like code, so indents and blank lines stay; "
                    "--layout prose takes them out"
                )
            )
        if self.cleaned.kept == "verse":
            lines.append(
                _(
                    "this looks like verse, so indents and blank lines stay; "
                    "--layout prose takes them out"
                )
            )
        if self.cleaned.width is not None:
            broken = _("paragraphs are broken into lines of {width} columns; --unwrap joins them")
            lines.append(broken.format(width=self.cleaned.width))
        return [_("{path}: {line}").format(path=readable(self.path), line=line) for line in lines]


@dataclass(frozen=True)
class Corpus:
    """One or many files as one text, in the order given."""

    path: Path
    """The first file or folder."""

    files: tuple[SourceFile, ...]
    omitted: tuple[tuple[Path, Message], ...] = ()
    """What in the folders was not read, or is there twice, and why."""

    def __repr__(self) -> str:
        count, characters = len(self.files), sum(len(file.text) for file in self.files)
        files = "1 file" if count == 1 else f"{count:,} files"
        return f"<Corpus {readable(self.path)}: {files}, {characters:,} characters>"

    @property
    def left_out(self) -> tuple[tuple[Path, str], ...]:
        """The same, as programs read it."""
        return tuple((path, _after(path, why.english())) for path, why in self.omitted)

    @property
    def text(self) -> str:
        """The clean texts, each ending with a newline, one after the other."""
        return "".join(file.text for file in self.files)

    def text_of(self, items: Items | None) -> str:
        """Return the same, or where lines or files are items, each with its end."""
        if items is None:
            return self.text
        return "".join(closed((file.text for file in self.files), items))

    def describe(self) -> list[str]:
        """Return lines to show: about every file, or about many at once; and all that is odd."""
        if len(self.files) > _MANY:
            return [self._in_all(), *self.oddities()]
        lines = [line for file in self.files for line in file.describe()]
        return [*lines, *self.about_left_out()]

    def oddities(self) -> list[str]:
        """Return lines about what was not read as it stands, or looks as if it should not be."""
        lines = [line for file in self.files for line in file.oddities()]
        if len(self.files) > _MANY and len(lines) > _NAMED:
            more = _("{count:,} more such lines: textgen corpus show tells all")
            lines = [*lines[:_NAMED], more.format(count=len(lines) - _NAMED)]
        return [*lines, *self.about_left_out()]

    def about_left_out(self) -> list[str]:
        """Return one line about what was not read, if there is anything."""
        if not self.omitted:
            return []
        return [_("Left out: {named}").format(named=_named(self.omitted))]

    def _in_all(self) -> str:
        encodings = Counter(file.encoding for file in self.files)
        each = ", ".join(f"{encoding} ({count:,})" for encoding, count in encodings.most_common())
        changes = Counter[str]()
        for file in self.files:
            changes.update(file.cleaned.changes)
        return _(
            "{count:,} files: {encodings}, {characters:,} characters; cleaned: {changed}"
        ).format(
            count=len(self.files),
            encodings=each,
            characters=sum(len(file.text) for file in self.files),
            changed=_changed(changes),
        )


def _changed(changes: Mapping[str, int]) -> str:
    """Return in words what cleaning changed, and how often."""
    each = (
        _("{count:,} {what}").format(count=count, what=_(what)) for what, count in changes.items()
    )
    return _(", ").join(each) or _("nothing")


def _named(omitted: Sequence[tuple[Path, Message]]) -> str:
    shown = [readable(f"{path} {_after(path, str(why))}") for path, why in omitted[:_NAMED]]
    if len(omitted) > _NAMED:
        shown.append(_("{count:,} more").format(count=len(omitted) - _NAMED))
    return _("; ").join(shown)


def _after(path: Path, why: str) -> str:
    """Return why a file is left out as it goes on after the file's name: an error begins so."""
    return why.removeprefix(f"{path} ")


def read_corpus(
    paths: Sequence[Path], reading: ReadingConfig = ReadingConfig(), *, look: bool = False
) -> Corpus:
    """Read text files, and the text files of folders, in natural order, at any depth.

    What a folder holds beside texts is left out, and so is what cannot be read there; a file that
    is named must be readable. The same text twice is read once.

    Args:
        paths: files or folders.
        reading: how files become text.
        look: find also what web sites have left where nothing is to be done about it.

    Raises:
        TextgenError: a path does not exist, a folder has no text file, or a file is empty, binary,
            or in no encoding that fits.
    """
    files: list[SourceFile] = []
    left_out: list[tuple[Path, Message]] = []
    known: dict[str, Path] = {}
    for path in paths:
        for file in _files(path, reading, left_out, look=look):
            if file.text in known:
                same = Message("is the same text as {path}", path=known[file.text])
                left_out.append((file.path, same))
            else:
                known[file.text] = file.path
                files.append(file)
    if not files:
        raise TextgenError("no text can be read: {named}", named=_named(left_out))
    return Corpus(paths[0], tuple(files), tuple(left_out))


def read_and_tell(paths: Sequence[Path], reading: ReadingConfig) -> Corpus:
    """Read files and folders as ``read_corpus`` does, and tell what they are.

    Raises:
        TextgenError: as there.
    """
    corpus = read_corpus(paths, reading)
    for line in corpus.describe():
        log.info("%s", line)
    return corpus


def _files(
    path: Path, reading: ReadingConfig, left_out: list[tuple[Path, Message]], *, look: bool
) -> Iterator[SourceFile]:
    """Yield what one path comes to."""
    require_file(path)
    if not path.is_dir():
        yield from _read_file(path, reading, left_out, look=look)
        return
    folder = look_into(path)
    left_out += folder.left_out
    for file in folder.files:
        try:
            yield from _read_file(file, reading, left_out, look=look)
        except TextgenError as error:
            left_out.append((file, error))


def _read_file(
    path: Path, reading: ReadingConfig, left_out: list[tuple[Path, Message]], *, look: bool
) -> Iterator[SourceFile]:
    """Yield a file, or the texts that it holds."""
    try:
        if (size := path.stat().st_size) > _LARGE:
            log.info("Reading %s: %s MB", readable(path), f"{size / 1e6:,.0f}")
        data = path.read_bytes()
    except OSError as error:
        raise TextgenError(
            "{path} cannot be read: {reason}", path=path, reason=os_reason(error)
        ) from None
    found = list(parts(path, data, reading.encoding))
    del data
    found.sort(key=lambda part: natural_key(Path(part.name)))
    while found:
        part = found.pop(0)
        if isinstance(part, LeftOut):
            left_out.append((Path(part.name), part.reason))
            continue
        name = part.name
        try:
            decoded = _decoded(part, reading)
            kind = part.kind
            del part  # of a large file, its text is enough
            cleaned = clean(decoded.text, reading, look=look)
            _require_text(cleaned.text, name)
        except TextgenError as error:
            if name == str(path):
                raise
            left_out.append((Path(name), error))
        else:
            yield SourceFile(Path(name), decoded.encoding, cleaned, decoded.damage, kind)


def _require_text(text: str, name: str) -> None:
    if not text:
        raise TextgenError("{name} is empty: it holds no characters to learn from", name=name)


def _decoded(part: Part, reading: ReadingConfig) -> Decoded:
    if part.text is not None:
        return Decoded(part.text, None, part.encoding or "")
    return decode(part.data, Path(part.name), reading.encoding, reading.errors)
