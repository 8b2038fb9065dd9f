"""What every novel file needs before a model reads it: only marks that mean something stay.

Headings stay as they are, also the U+3000 that parts the two halves of a chapter's title.
Punctuation and rare characters are never changed: NFKC would turn ， into , and is not used.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from textgen.config import ReadingConfig
from textgen.language import marked
from textgen.reading.layout import kind_of_lines, unwrap, wrap_width
from textgen.reading.web import Finding, Kind, findings, without
from textgen.text.characters import count_characters

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# ECMA-48: a control sequence, an operating-system command with its end, any other escape.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]?"
)
# C0 and C1 controls, and what is invisible or turns the direction of writing. U+200C and U+200D
# stay: they join and part letters in Persian and in pictures of families.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_PIECE = 1 << 20
"""Characters, about, whose lines are looked at at a time."""

_TAKEN_OUT: dict[Kind, str] = {
    "site address": marked("site address taken out"),
    "HTML entity": marked("HTML entity taken out"),
    "mojibake": marked("mojibake taken out"),
}


@dataclass(frozen=True)
class Cleaned:
    """A text after cleaning, and what there is to tell about that."""

    text: str
    changes: dict[str, int]
    """How often each kind of thing was changed; who shows the kinds translates them."""

    kept: str | None = None
    """Why indents and blank lines stay: as asked (keep), or as the text looks (code, verse)."""

    width: int | None = None
    """Columns at which paragraphs still are broken into lines, where it looks so."""

    web: tuple[Finding, ...] = ()
    """What web sites have left; taken out if so asked."""


def clean(text: str, reading: ReadingConfig = ReadingConfig(), *, look: bool = False) -> Cleaned:
    r"""Return the clean text, and what there is to tell about it.

    Line ends become ``\n``; escape sequences and control characters go. Of prose, the white space
    at both ends of a line goes (indents of U+3000, spaces, tabs); other tabs become spaces. Runs
    of blank lines become one blank line, and none where most lines are followed by blank ones:
    there they tell nothing. The text ends with a newline.

    Args:
        text: the text.
        reading: what else is to be done.
        look: find also what web sites have left where nothing is to be done about it.
    """
    changes: dict[str, int] = {}
    counts = count_characters(text)
    text = _without_controls(text, counts, changes)
    found = findings(text, counts) if look or reading.clean == "web" else []
    if reading.clean == "web":
        text = without(text, found)
        changes |= {_TAKEN_OUT[kind]: n for kind, n in Counter(f.kind for f in found).items()}
    width = wrap_width(text)
    if reading.unwrap and width is not None:
        text, changes[marked("lines joined")] = unwrap(text, width)
        width = None
    kept = "keep" if reading.layout == "keep" else None
    if reading.layout == "auto":
        kind = kind_of_lines(text)
        kept = None if kind == "prose" else kind
    if kept is None:
        text = _as_prose(text, changes)
    elif text and not text.endswith("\n"):
        text += "\n"
    if not text.strip():
        text = ""
    return Cleaned(text, changes, kept, width, tuple(found))


def without_controls(text: str) -> str:
    r"""Return a text with ``\n`` at the ends of lines, without escape sequences and controls."""
    return _without_controls(text, count_characters(text), {})


def _without_controls(text: str, occurring: Iterable[str], changes: dict[str, int]) -> str:
    # One look at the characters that occur at all is much faster than one at a long text.
    odd = "".join(character for character in occurring if character not in _PLAIN)
    for what, pattern, by in (
        (marked("line ends"), _LINE_ENDS, "\n"),
        (marked("escape sequences"), _ESCAPES, ""),
        (marked("control characters"), _CONTROLS, ""),
    ):
        if pattern.search(odd):
            text, count = pattern.subn(by, text)
            if count:
                changes[what] = count
    return text


_PLAIN = frozenset("\n\t")


def _as_prose(text: str, changes: dict[str, int]) -> str:
    edges = 0
    pieces = []
    for piece in _pieces(text):
        lines = piece.split("\n")
        stripped = [line.strip() for line in lines]
        edges += sum(map(str.__ne__, lines, stripped))
        pieces.append("\n".join(stripped))
    text = "\n".join(pieces)
    del pieces  # a long text is not to be in memory once more
    if edges:
        changes[marked("lines with indents or trailing spaces")] = edges
    if tabs := text.count("\t"):
        changes[marked("tabs")] = tabs
        text = text.replace("\t", " ")
    # A long text is copied only where it must be.
    if text.startswith("\n"):
        text = text.lstrip("\n")
    if not text.endswith("\n") or text.endswith("\n\n"):
        text = text.rstrip("\n") + "\n"
    before = text.count("\n")
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    blank = text.count("\n\n")
    if blank > (text.count("\n") - blank) / 2:  # after most lines
        text = text.replace("\n\n", "\n")
    if removed := before - text.count("\n"):
        changes[marked("blank lines")] = removed
    return text


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces of whole lines, each without its last newline."""
    start = 0
    while (end := text.find("\n", start + _PIECE)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]
