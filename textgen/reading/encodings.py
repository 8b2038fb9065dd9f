"""Bytes to text: all of it, or all but a few places that are told, or an error that says why."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from textgen.config import Errors
from textgen.errors import TextgenError, UsageError
from textgen.language import Message
from textgen.reading.damage import MARK, Damage, decode_marked, take_out
from textgen.reading.detection import SHORT, Found, detect, is_sensible, most_sensible
from textgen.reading.seams import decode_several

# Not the ends of lines and files, and not what begins a terminal's escape sequences.
_CONTROLS = [chr(code) for code in range(32) if chr(code) not in "\t\n\v\f\r\x1a\x1b"]

_LOOKED_AT = 30_000
"""Characters at the beginning and in the middle of a text in which such are counted."""

_BINARY = 0.01
"""Least share of control characters that makes a file no text."""

_MENDED = 0.001
"""Share of a text's characters that may be left out unasked, but for half ones at both ends."""

_MENDED_OF_A_FEW = 0.1
"""The same share with those."""


@dataclass(frozen=True)
class Decoded:
    """A text, and what there is to tell about how it was read."""

    text: str
    damage: Damage | None
    """What was left out because it does not fit."""

    encoding: str
    """What it was in; of a file in several, each with the line that it begins in."""


def decode(
    data: bytes, path: Path, encoding: str | None = None, errors: Errors = "mend"
) -> Decoded:
    """Decode a whole file.

    Args:
        data: the file's bytes.
        path: the file's path, for error messages.
        encoding: a name that Python knows; found out from the bytes when not given.
        errors: what to do about places that do not fit: leave out a few, all, or none.

    Raises:
        TextgenError: too much does not fit the encoding, none fits, or it is no text.
        UsageError: Python does not know the encoding.
    """
    found = Found(encoding) if encoding is not None else detect(data)
    if found is None:
        raise TextgenError(
            "{path} is no text in any encoding that is known here; give a .txt file, "
            "or name its encoding with --encoding",
            path=path,
        )
    marked = MARK * found.skipped + _decode_as(data[found.skipped :], found.encoding)
    decoded = Decoded(*take_out(marked), found.encoding)
    if encoding is not None:
        _check_sense(decoded, data, path)
    damage = decoded.damage
    if damage is not None and _too_much(decoded, errors):
        several = decode_several(data) if encoding is None and errors == "mend" else None
        mixed = several and Decoded(*take_out(several[0]), several[1])
        if mixed is None or _too_much(mixed, errors):
            raise _refusal(path, damage, found.encoding, errors)
        decoded = mixed
    _require_no_binary(decoded.text, path)
    return decoded


def _decode_as(data: bytes, encoding: str) -> str:
    """Decode bytes, marked where they do not fit.

    Raises:
        UsageError: Python does not know the encoding, or not as one of text.
    """
    try:
        "".encode(encoding)
    except (LookupError, ValueError):  # a name with a NUL is a ValueError
        raise _no_encoding(encoding) from None
    try:
        return decode_marked(data, encoding)
    except UnicodeError:  # of those that are for names of hosts
        raise _no_encoding(encoding) from None


def _no_encoding(encoding: str) -> UsageError:
    return UsageError(
        "--encoding {encoding} is no encoding of text that Python knows; "
        "try utf-8, gb18030, big5 or utf-16",
        encoding=encoding,
    )


def _too_much(decoded: Decoded, errors: Errors) -> bool:
    """Return whether more does not fit than is left out; a file may be cut at both ends."""
    damage = decoded.damage
    if damage is None or errors == "replace":
        return False
    return (
        errors == "strict"
        or damage.inside > max(1, _MENDED * len(decoded.text))
        or damage.count > max(1, _MENDED_OF_A_FEW * len(decoded.text))
    )


def _refusal(path: Path, damage: Damage, encoding: str, errors: Errors) -> TextgenError:
    advice = (
        Message("mend the file, or leave --errors strict out")
        if errors == "strict"
        else Message(
            "more than one in a thousand characters is left out only with --errors replace; "
            "or try another --encoding (without one it is found out)"
        )
    )
    values: dict[str, object] = {
        "path": path,
        "encoding": encoding,
        "line": damage.line,
        "around": damage.around,
        "advice": advice,
    }
    if damage.count == 1:
        return TextgenError(
            "{path} does not fit {encoding} in 1 place, the first in line {line:,}: {around}; "
            "{advice}",
            **values,
        )
    return TextgenError(
        "{path} does not fit {encoding} in {count:,} places, the first in line {line:,}: "
        "{around}; {advice}",
        count=damage.count,
        **values,
    )


def _check_sense(decoded: Decoded, data: bytes, path: Path) -> None:
    """Refuse an encoding that was told and gives nonsense where another gives sense.

    Raises:
        TextgenError: it does.
    """
    if len(data) <= SHORT or is_sensible(decoded.text):
        return
    better = most_sensible(data)
    if better and better.encoding.startswith("utf-16") and b"\0" not in data:
        return  # pairs of bytes come to something too often
    if better and codecs.lookup(better.encoding) != codecs.lookup(decoded.encoding):
        raise TextgenError(
            "{path} is not {encoding}: its bytes come out as nonsense, and as "
            "{better} they make sense; leave --encoding out",
            path=path,
            encoding=decoded.encoding,
            better=better.encoding,
        )


def _require_no_binary(text: str, path: Path) -> None:
    middle = max(0, len(text) // 2 - _LOOKED_AT // 2)
    for sample in (text[:_LOOKED_AT], text[middle : middle + _LOOKED_AT]):
        controls = sum(map(sample.count, _CONTROLS))
        if controls > _BINARY * len(sample):
            raise TextgenError(
                "{path} is not a text file: {controls:,} of {looked_at:,} characters looked at "
                "are control characters; give a .txt file",
                path=path,
                controls=controls,
                looked_at=len(sample),
            )
