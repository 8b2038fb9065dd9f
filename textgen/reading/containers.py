"""What a file holds: itself, the texts in an archive, or a book or page without its markup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from textgen.errors import TextgenError
from textgen.language import Message
from textgen.reading.archives import Zip, gunzip
from textgen.reading.books import epub_to_text, word_document_to_text
from textgen.reading.kinds import EPUB, GZIP, HTML, WORD, ZIP, Kind, kind_of
from textgen.reading.markup import html_to_text
from textgen.reading.pages import decode_page

TEXT_SUFFIXES = frozenset({".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml"})
"""Names that end so are texts by their names: what is read of an archive."""

_HIDDEN = Message("is hidden")
_NO_TEXT = Message("is no text by its name")
_EMPTY = Message("is empty")
_NOT_THERE = Message("is a page of the book, but not there")
_BY_NAME = {_HIDDEN, _NO_TEXT}

_PAGE_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})


@dataclass(frozen=True)
class Part:
    """One text that a file holds.

    Attributes:
        name: what it is called in messages: ``novels.zip/第一回.txt``, ``book.epub``.
        data: its bytes, in whatever encoding, where it is plain text.
        text: what it says, where markup was taken off.
        encoding: which ``text`` was in; None where that is still to be found out.
        kind: what it turned out to be: "an HTML page in a gzip archive"; None for plain text.
    """

    name: str
    data: bytes = b""
    text: str | None = None
    encoding: str | None = None
    kind: Message | None = None


@dataclass(frozen=True)
class LeftOut:
    """What an archive holds, or ought to, and is not read: ``name reason`` is a sentence."""

    name: str
    reason: Message


def parts(path: Path, data: bytes, encoding: str | None = None) -> Iterator[Part | LeftOut]:
    """Yield the texts that a file holds, and what is left out of an archive, in its order.

    A plain text is the one part of itself. An archive in an archive is not opened.

    Args:
        path: the file's path, for messages and for its suffix.
        data: the file's bytes.
        encoding: of pages, where the user says it; else what they say, else found out.

    Raises:
        TextgenError: it is of a kind that is not read, damaged, locked, a bomb, or holds no text.
    """
    file, suffix, kind = str(path), path.suffix, kind_of(data)
    if kind is ZIP:
        yield from _members(Zip(file, data), encoding)
    elif kind is EPUB:
        book = Zip(file, data)
        text, missing = epub_to_text(book)
        yield Part(file, text=text, encoding="utf-8", kind=Message(EPUB.name))
        for page in missing:
            yield LeftOut(book.place(page), _NOT_THERE)
    elif kind is WORD:
        text = word_document_to_text(Zip(file, data))
        yield Part(file, text=text, encoding="utf-8", kind=Message(WORD.name))
    elif kind is GZIP:
        data = gunzip(file, data)
        suffix = path.with_suffix("").suffix if suffix.lower() == ".gz" else suffix
        yield _part(file, suffix, data, kind_of(data), encoding, within=GZIP)
    else:
        yield _part(file, suffix, data, kind, encoding)


def _part(
    name: str,
    suffix: str,
    data: bytes,
    kind: Kind | None,
    encoding: str | None,
    within: Kind | None = None,
) -> Part:
    """Return a plain text or a page, perhaps one within an archive; refuse all else."""
    if kind is None and suffix.lower() in _PAGE_SUFFIXES:
        kind = HTML
    if kind is None:
        return Part(name, data, kind=Message(within.name) if within else None)
    whole = Message(kind.name)
    if within:
        whole = Message("{kind} in {archive}", kind=whole, archive=Message(within.name))
    if kind is not HTML:
        advice = Message(kind.advice)
        raise TextgenError("{name} is {kind}: {advice}", name=name, kind=whole, advice=advice)
    markup, found = decode_page(data, name, encoding)
    return Part(name, text=html_to_text(markup), encoding=found, kind=whole)


def _members(archive: Zip, encoding: str | None) -> Iterator[Part | LeftOut]:
    left_out: list[LeftOut] = []
    found = False
    for name in archive.names:
        path, place = PurePosixPath(name), archive.place(name)
        reason = _reason_by_name(path) or archive.lock(name)
        if reason is None:
            data = archive.read(name)
            kind = kind_of(data)
            if kind in {None, HTML} and data:
                found = True
                yield _part(place, path.suffix, data, kind, encoding)
                continue
            reason = Message("is {kind}", kind=Message(kind.name)) if kind else _EMPTY
        left_out.append(LeftOut(place, reason))
        yield left_out[-1]
    if found:
        return
    if not left_out:
        raise TextgenError(
            "{file} is a zip archive that holds no text that can be read; "
            "give .txt files, or an archive of them",
            file=archive.file,
        )
    # That a text is locked says more than that a picture is none.
    told = min(left_out, key=lambda one: one.reason in _BY_NAME)
    raise TextgenError(
        "{file} is a zip archive that holds no text that can be read: {member} {reason}; "
        "give .txt files, or an archive of them",
        file=archive.file,
        member=told.name,
        reason=told.reason,
    )


def _reason_by_name(path: PurePosixPath) -> Message | None:
    if any(part.startswith((".", "__MACOSX")) and part.strip(".") for part in path.parts):
        return _HIDDEN
    # Of "第1.5回", what stands after the dot is no suffix.
    if path.suffix.lower() in TEXT_SUFFIXES or not re.fullmatch(
        r"\.[a-zA-Z]\w{0,7}", path.suffix, re.ASCII
    ):
        return None
    return _NO_TEXT
