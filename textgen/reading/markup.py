"""Markup to text: HTML, and the XML of books and of Word documents.

One scanner takes all three apart, forgiving as browsers are, and in one pass: its time grows with
the length, whatever stands there. Python's html.parser takes 45 seconds for 80 kB of unclosed tags,
and answers some broken declarations with an AssertionError. Nothing here knows an entity that a
document declares for itself, so none can be made to grow.
"""

import html
import io
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

# Possessive quantifiers (the + after another one): what was looked at is never looked at again.
_TOKEN = re.compile(
    r"<!\[CDATA\[(?P<verbatim>.*?)(?:\]\]>|\Z)"
    r"|(?P<comment><!--)(?:-?>)?"
    r"|<(?P<closing>/?)(?P<name>[a-z][^\s/>]*+)"
    r"(?P<attributes>(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?)*+)(?:>|\Z)"
    r"|<[!?/][^>]*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"(?<![^\s=/\"'])([^\s=/\"']++)\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))"
)

# What stands between such a tag and its end is not shown, whatever tags are in it.
_HIDDEN = {
    name: re.compile(rf"</{name}(?=[\s/>])[^>]*+(?:>|\Z)", re.IGNORECASE)
    for name in ("script", "style", "title", "noscript", "template", "iframe", "svg")
}
# Readings beside characters, the same once more for older programs, and where tabs stop.
_HIDDEN_IN_WORD = {
    name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("w:rt", "mc:fallback", "w:tabs")
}
_COMMENT_END = re.compile("--!?>")

# These begin and end lines; cells too: where a novel stands in tables, they only lay pages out.
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd details dialog dir div dl dt "
        "fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hr html legend li "
        "main menu nav ol optgroup option p pre section select summary table tbody td textarea "
        "tfoot th thead tr ul",
    )
)
_READINGS = {"ruby", "rb", "rt", "rp"}
_SPACES = re.compile("[ \t\n\f\r]+")
_WIDE = "[\u2e80-\U0010ffff]"
# A line's end in the source is a space to Latin letters, and nothing to Chinese characters.
_WIDE_BREAKS = re.compile(f"(?<={_WIDE})[ \t\f\r]*+\n[ \t\n\f\r]*+(?={_WIDE})")

_WORD_MARKS = {"w:tab": "\t", "w:br": "\n", "w:cr": "\n", "w:nobreakhyphen": "-"}


class Tag(NamedTuple):
    """A tag: its name in small letters, whether it ends something, and what else stands in it."""

    name: str
    closing: bool
    inner: str

    @property
    def empty(self) -> bool:
        """Whether nothing belongs to it, as in ``<title/>``."""
        return self.inner.endswith("/")

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes, with names in small letters."""
        return {
            name.lower(): _unescape(double or single or bare)
            for name, double, single, bare in _ATTRIBUTE.findall(self.inner)
        }


def tags(markup: str) -> Iterator[Tag]:
    """Yield the tags of any XML, without the prefixes of their names."""
    for piece in _scan(markup):
        if isinstance(piece, Tag):
            yield piece._replace(name=piece.name.rpartition(":")[2])


def html_to_text(markup: str) -> str:
    """Return what an HTML page shows: a line for each block, and for each part between ``<br>``.

    Head, scripts and styles are left out, and so are the readings beside characters (ruby's ``rt``
    and ``rp``). White space is what it is to a browser.
    """
    return "".join(_html_lines(markup))


def _html_lines(markup: str) -> Iterator[str]:
    line = io.StringIO()
    verbatim = reading = False
    for piece in _scan(markup, _HIDDEN):
        if isinstance(piece, str):
            if not reading:
                line.write(piece)
        elif piece.name in _READINGS:
            reading = piece.name in {"rt", "rp"} and not piece.closing
        elif piece.name in _BLOCKS or piece.name == "br":
            text = _as_shown(line.getvalue(), verbatim=verbatim)
            if text or (piece.name == "br" and not piece.closing):
                yield text + "\n"
            line = io.StringIO()
            reading = False  # whose end can be left out
            if piece.name == "pre":
                verbatim = not piece.closing
    if text := _as_shown(line.getvalue(), verbatim=verbatim):
        yield text + "\n"


def _as_shown(text: str, *, verbatim: bool) -> str:
    if verbatim:
        return text.strip("\r\n")
    return _SPACES.sub(" ", _WIDE_BREAKS.sub("", text)).strip(" ")


def word_to_text(markup: str) -> str:
    """Return the text of a Word document's ``word/document.xml``, a line for each paragraph."""
    text = io.StringIO()
    shown = False
    for piece in _scan(markup, _HIDDEN_IN_WORD):
        if isinstance(piece, str):
            if shown:
                text.write(piece)
        elif piece.name == "w:t":
            shown = not piece.closing and not piece.empty
        elif piece.name == "w:p":
            text.write("\n" if piece.closing or piece.empty else "")
        elif not piece.closing:
            text.write(_WORD_MARKS.get(piece.name, ""))
    return text.getvalue()


def _scan(
    markup: str, hidden: Mapping[str, re.Pattern[str]] = MappingProxyType({})
) -> Iterator[str | Tag]:
    """Yield text, with its entities decoded, and tags; what is never closed hides nothing."""
    position = 0
    endless = set()  # found out once: no later one has to look again
    while token := _TOKEN.search(markup, position):
        if position < token.start():
            yield _unescape(markup[position : token.start()])
        position = token.end()
        end = None
        if token["verbatim"]:
            yield token["verbatim"]
        elif token["comment"]:
            end = None if token[0].endswith(">") else _COMMENT_END
        elif token["name"]:
            tag = Tag(token["name"].lower(), bool(token["closing"]), token["attributes"])
            yield tag
            end = None if tag.closing or tag.empty else hidden.get(tag.name)
        if end is not None and end not in endless:
            if found := end.search(markup, position):
                position = found.end()
            else:
                endless.add(end)
    if position < len(markup):
        yield _unescape(markup[position:])


def _unescape(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a number of thousands of digits
        return text
