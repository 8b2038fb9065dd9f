"""Names of files: as people can read them, as they stand in JSON, and which are plain.

A name that is no UTF-8 has its bytes as halves of characters (surrogateescape), as Python has it.
"""

import contextlib
import json
import re
import unicodedata
from pathlib import Path

_UNDECODED = re.compile("[^\x00-/:-?]*[\udc80-\udcff][^\x00-/:-?]*")
"""A stretch with bytes that are no UTF-8; it ends where no character of GB18030 goes on."""

_IN_NAMES = re.compile(
    "[!-~·×\u2010-\u2026\u2160-\u217f\u2460-\u249b★☆\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]*"
)
"""What makes sense: ASCII, Chinese characters, numerals and punctuation, kana."""

_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of characters that steer a terminal, or halves of a character."""

_HARMLESS = frozenset("\n\t\u200c\u200d")
"""Of these categories, what belongs to a text; the last two join letters or part them."""

_NOT_PLAIN = frozenset("\n\t\ufffd")


def readable(text: Path | str) -> str:
    """Return a name, or a message with names in it, as it can be shown to people.

    Python has a byte of a name that is no UTF-8 as half a character, which can be neither printed
    nor sent. Such a name is read as GB18030, as unzip leaves the names of Chinese archives; where
    that makes no sense, and for what steers a terminal, there is a � in its place.
    """
    whole = str(text)
    if whole.isprintable():
        return whole
    decoded = _UNDECODED.sub(lambda found: _as_gb18030(found[0]), whole)
    return "".join(map(_harmless, decoded))


def is_plain(name: str) -> bool:
    """Return whether it is the name of a file, without a folder, and can be read on one line."""
    return Path(name).name == name and bool(name.strip()) and not set(readable(name)) & _NOT_PLAIN


def to_json(values: object, indent: int | None = None) -> str:
    """Return JSON from which a name that is no UTF-8 comes back as it was."""
    text = json.dumps(values, ensure_ascii=False, indent=indent)
    # JSON and Python write half a character in the same way, and it stands nowhere but in strings.
    return text.encode("utf-8", "backslashreplace").decode()


def _as_gb18030(undecoded: str) -> str:
    """Return what bytes that are no UTF-8 come to, or the text as it is if that is no sense."""
    with contextlib.suppress(UnicodeError):
        decoded = undecoded.encode("utf-8", "surrogateescape").decode("gb18030")
        if _IN_NAMES.fullmatch(decoded):
            return decoded
    return undecoded


def _harmless(character: str) -> str:
    steers = unicodedata.category(character) in _STEERING and character not in _HARMLESS
    return "\ufffd" if steers else character
