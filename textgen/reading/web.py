"""What web sites leave in a novel: their addresses, HTML's entities, and mojibake.

None of it is changed unasked: an address may be part of the story.
"""

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from textgen.reading.damage import MARK

Kind = Literal["site address", "HTML entity", "mojibake"]

_LETTERS = r"A-Za-z0-9Ａ-Ｚａ-ｚ０-９_\-"
# Each with the characters without which it is not there: to look for it takes long. None begins
# with a choice between words, and none ignores case: both are slow.
_BEGINS = (
    (":", re.compile("[Hh][Tt][Tt][Pp][Ss]?://")),
    ("wWｗＷ", re.compile("[wWｗＷ]{3}[.．]")),
    (
        ".．",
        re.compile(
            rf"[.．](?:[cｃ][oｏ][mｍ]|[nｎ][eｅ][tｔ]|[oｏ][rｒ][gｇ]|[cｃ][nｎ]|cc|info|tw|hk"
            rf"|COM|NET|ORG|CN)(?![{_LETTERS}])"
        ),
    ),
)
_BEFORE = re.compile(rf"[{_LETTERS}.．]*\Z")
_AFTER = re.compile(rf"[{_LETTERS}.．]*(?:[:/?][!-~]*)?")
_LONGEST_LABELS = 100
"""Characters of an address before the end of its domain."""

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

# 锟斤拷 is U+FFFD twice, written in UTF-8 and read in GBK; 烫 and 屯 are memory never written to.
_LOST = tuple(map(re.compile, ("锟斤拷(?:锟斤拷)*", "烫烫烫+", "屯屯屯+")))
# How 、 “ ， and the like begin in UTF-8, read in GBK; and accented letters and quotes, in cp1252.
_MISREAD = (("銆鈥锛", "gb18030"), ("ÂÃâ", "cp1252"))
_BEYOND_ASCII = re.compile("[^\0-\x7f]+")


@dataclass(frozen=True)
class Finding:
    """Something that a web site left."""

    kind: Kind
    start: int
    """Where it stands in the text, in characters."""

    old: str
    new: str
    """What it ought to be; nothing of an address."""

    line: int = 0
    """Where it stands in the text, in lines; the first is 1."""


def findings(text: str, occurring: Collection[str]) -> list[Finding]:
    """Return all that web sites left in a text, in order, none of it inside another.

    Args:
        text: the text.
        occurring: all characters that occur in it, perhaps others too.
    """
    found = [*_addresses(text, occurring), *_mojibake(text, occurring)]
    if "&" in occurring:
        found += _entities(text)
    apart: list[Finding] = []
    end, line = 0, 1
    for finding in sorted(found, key=lambda one: (one.start, -len(one.old))):
        if not apart or finding.start >= apart[-1].start + len(apart[-1].old):
            line += text.count("\n", end, finding.start)
            end = finding.start
            apart.append(replace(finding, line=line))
    return apart


def without(text: str, found: list[Finding]) -> str:
    """Return a text with what ought to be in the place of all that was found."""
    pieces, position = [], 0
    for finding in found:
        pieces += [text[position : finding.start], finding.new]
        position = finding.start + len(finding.old)
    return "".join([*pieces, text[position:]])


def _addresses(text: str, occurring: Collection[str]) -> Iterator[Finding]:
    for needed, sign in _BEGINS:
        if not any(character in occurring for character in needed):
            continue
        for begin in sign.finditer(text):
            start, end = begin.span()
            if not begin[0].endswith("://"):
                labels = _BEFORE.search(text, max(0, start - _LONGEST_LABELS), start)
                start = labels.start() if labels else start
            after = _AFTER.match(text, end)
            end = after.end() if after else end
            if start < begin.start() or not begin[0].startswith((".", "．")):  # .com alone is none
                yield Finding("site address", start, text[start:end], "")


def _entities(text: str) -> Iterator[Finding]:
    for entity in _ENTITY.finditer(text):
        meant = html.unescape(entity[0])
        if meant != entity[0] and MARK not in meant:
            yield Finding("HTML entity", entity.start(), entity[0], meant)


def _mojibake(text: str, occurring: Collection[str]) -> Iterator[Finding]:
    for pattern in _LOST:
        for lost in pattern.finditer(text):
            yield Finding("mojibake", lost.start(), lost[0], "")
    for begins, encoding in _MISREAD:
        if not any(character in occurring for character in begins):
            continue
        for run in _BEYOND_ASCII.finditer(text):
            if any(character in run[0] for character in begins):
                try:
                    meant = run[0].encode(encoding).decode("utf-8")
                except UnicodeError:
                    continue  # it only looks like that
                yield Finding("mojibake", run.start(), run[0], meant)
