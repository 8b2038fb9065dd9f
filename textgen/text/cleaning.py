"""What every novel file needs before a model reads it: only marks that mean something stay.

Headings stay as they are, also the U+3000 that parts the two halves of a chapter's title.
Punctuation and rare characters are never changed: NFKC would turn ， into , and is not used.
"""

import re

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# ECMA-48: a control sequence, an operating-system command with its end, any other escape.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]?"
)
# C0 and C1 controls, and what is invisible or turns the direction of writing.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_BLANK_LINES = re.compile("\n{2,}")


def clean(text: str) -> tuple[str, dict[str, int]]:
    r"""Return the clean text, and how often each kind of thing was changed.

    Line ends become ``\n``; escape sequences and control characters go; the white space at
    both ends of a line goes (indents of U+3000, spaces, tabs); other tabs become spaces. Runs
    of blank lines become one blank line, and none where most lines are followed by blank ones:
    there they tell nothing. The text ends with one newline.
    """
    changes: dict[str, int] = {}

    def replace(what: str, pattern: re.Pattern[str], by: str) -> None:
        nonlocal text
        text, count = pattern.subn(by, text)
        if count:
            changes[what] = count

    replace("line ends", _LINE_ENDS, "\n")
    replace("escape sequences", _ESCAPES, "")
    replace("control characters", _CONTROLS, "")
    lines = text.split("\n")
    stripped = [line.strip() for line in lines]
    if edges := sum(map(str.__ne__, lines, stripped)):
        changes["lines with indents or trailing spaces"] = edges
    text = "\n".join(stripped)
    replace("tabs", re.compile("\t"), " ")
    text = text.strip("\n") + "\n"
    blank_runs = len(_BLANK_LINES.findall(text))
    everywhere = blank_runs > len(re.findall("[^\n]\n", text)) / 2
    before = text.count("\n")
    text = _BLANK_LINES.sub("\n" if everywhere else "\n\n", text)
    if removed := before - text.count("\n"):
        changes["blank lines"] = removed
    return (text, changes) if text != "\n" else ("", changes)
