"""What the lines of a text are: paragraphs, verse, code, or paragraphs broken at a width.

All is seen by plain signs in a sample from the middle: how wide lines are, how they are indented,
how they end.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

# Runs of East Asian scripts, their punctuation and full-width forms, and pictures.
_WIDE = re.compile(
    "[\u1100-\u115f\u2014\u2018-\u201d\u2026\u2500-\u257f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3"
    "\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U0001f300-\U0001faff"
    "\U00020000-\U0003fffd]+"
)

_SAMPLE = 200_000
"""Characters that are looked at."""

_FEWEST = 16
"""Lines that show anything."""

_BRACKETS = frozenset("{}()[];=<>_")
_CODE_BRACKETS = 0.03
_CODE_INDENTED = 0.15
"""Least shares in code: of the characters that are such, and of lines that are indented."""

_VERSE_MEDIAN = 40
_VERSE_WIDEST = 60
"""Columns that half and nearly all lines of verse have at most."""

_DIFFERING = 0.1
"""Least share of the lines, or of the gaps between them, that makes another kind of them."""

_NEARLY_ALL = 0.95
_WIDTHS = range(20, 121)
"""Columns at which people break lines."""

_SLACK = 4
"""Columns by which indents, and punctuation at the end of a line, move the break."""

_BROKEN = 0.6
_OPEN = 0.5
"""Least shares, where lines are broken: of lines that are full, and of those amid a sentence."""

_ENDS = tuple("。！？…：；”’」』）.!?:;\"'")


def kind_of_lines(text: str) -> Literal["prose", "code", "verse"]:
    """Return what the lines of a text are, by plain signs; prose where there are none."""
    lines = _sample(text)
    written = [line for line in lines if line.strip()]
    if len(written) < _FEWEST:
        return "prose"
    indents = Counter(map(_indent, written))
    sample = "".join(written)
    brackets = sum(map(_BRACKETS.__contains__, sample)) / len(sample)
    indented = 1 - indents[0] / len(written)
    if brackets >= _CODE_BRACKETS and indented >= _CODE_INDENTED and len(indents) > 2:
        return "code"
    widths = sorted(columns(line.strip()) for line in written)
    narrow = (
        widths[len(widths) // 2] <= _VERSE_MEDIAN
        and widths[int(_NEARLY_ALL * len(widths))] <= _VERSE_WIDEST
    )
    gaps = Counter(len(gap) for gap in re.findall("\n\n+", "\n".join(map(str.strip, lines))))
    told = any(_differ(counts) for counts in (indents, gaps))
    return "verse" if narrow and told and wrap_width(text) is None else "prose"


def wrap_width(text: str) -> int | None:
    """Return the columns at which a text's paragraphs are broken; None where they are not."""
    lines = _sample(text)
    widths = sorted(columns(line.rstrip()) for line in lines if line.strip())
    if len(widths) < _FEWEST:
        return None
    width = widths[int(0.98 * len(widths))]
    pairs = [pair for pair in pairwise(lines) if all(map(str.strip, pair))]
    full = [line for line, after in pairs if _is_full(line, after, width)]
    amid = sum(not line.rstrip().endswith(_ENDS) for line in full)
    broken = len(full) >= _BROKEN * max(1, len(pairs)) and amid >= _OPEN * max(1, len(full))
    return width if width in _WIDTHS and broken and len(pairs) >= _FEWEST // 2 else None


def unwrap(text: str, width: int) -> tuple[str, int]:
    """Join the lines of paragraphs that are broken at a width.

    A line is joined to the next where that one's first word would not have fitted, unless that
    one is blank or indented.

    Args:
        text: the text.
        width: columns of a full line.

    Returns:
        The text, and how many lines were joined to the one before.
    """
    lines = text.split("\n")
    usual = Counter(_indent(line) for line in lines if line.strip()).most_common(1)
    margin = usual[0][0] if usual else 0
    joined: list[str] = []
    count = 0
    before = ""
    for line in lines:
        goes_on = before.strip() and line.strip() and _indent(line) <= margin
        if goes_on and _is_full(before, line, width):
            joined[-1] = _join(joined[-1], line)
            count += 1
        else:
            joined.append(line)
        before = line
    return "\n".join(joined), count


def columns(text: str) -> int:
    """Return how many columns a text takes in a terminal or a plain text editor."""
    return len(text) + sum(map(len, _WIDE.findall(text)))


def _sample(text: str) -> Sequence[str]:
    if len(text) <= _SAMPLE:
        return text.split("\n")
    middle = len(text) // 2 - _SAMPLE // 2
    return text[middle : middle + _SAMPLE].split("\n")[1:-1]


def _indent(line: str) -> int:
    return columns(line[: len(line) - len(line.lstrip())].expandtabs(4))


def _differ(kinds: Counter[int]) -> bool:
    """Return whether at least two kinds are no exceptions."""
    return sum(count >= _DIFFERING * kinds.total() for count in kinds.values()) > 1


def _is_full(line: str, after: str, width: int) -> bool:
    """Return whether the next line's first word would not have fitted."""
    line, after = line.rstrip(), after.lstrip()
    if _is_wide(after[:1]):
        return columns(line + after[:1]) > width - _SLACK
    return columns(line) + 1 + columns(re.split(r"\s", after, maxsplit=1)[0]) > width


def _join(line: str, after: str) -> str:
    line, after = line.rstrip(), after.lstrip()
    apart = not (_is_wide(line[-1:]) or _is_wide(after[:1]) or re.search(r"\w-$", line))
    return line + " " * apart + after


def _is_wide(character: str) -> bool:
    return _WIDE.match(character) is not None
