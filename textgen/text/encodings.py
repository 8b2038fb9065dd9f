"""Bytes to text: which encoding a file is in, strictly, never dropping a byte.

Most encodings of Chinese decode most bytes into something, so a clean decode proves little:
the whole of a Big5 novel decodes strictly as GB18030, into nonsense. What tells sense from
nonsense is that in sense the commonest characters are common.
"""

import codecs
import contextlib
from pathlib import Path

import charset_normalizer

from textgen.errors import TextgenError, UsageError

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's, so it is asked first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Where two make the same sense, the first counts. cp950 and big5hkscs each add characters to
# Big5 that the other lacks, and big5hkscs has look-alikes for some of Big5's punctuation.
_CANDIDATES = ("utf-8", "gb18030", "big5", "cp950", "big5hkscs", "utf-16-le", "utf-16-be")

_COMMON = frozenset(
    "的了一是不我在人有他这着个们来到时大地为子中你说道之也曰而其以于无"
    "這個們來時為說無與見將便又那去好什麼么里裡後后過过得把都看出只就"
    "，。、：；？！「」『』“”‘’…—　"
)
_ASCII = frozenset(map(chr, range(0x20, 0x7F))) | {"\n", "\r", "\t"}

# Not the ends of lines and files, and not what begins a terminal's escape sequences.
_CONTROLS = [chr(code) for code in range(32) if chr(code) not in "\t\n\v\f\r\x1a\x1b"]

_SENSIBLE = 0.1
"""Least share of common characters in sense. Novels have 0.25 to 0.4; nonsense below 0.05."""

_SAMPLE = 100_000
"""Characters that are looked at, in the middle of a text."""

_BINARY = 0.01
"""Least share of control characters that makes a file no text."""


def decode(data: bytes, path: Path, encoding: str | None = None) -> tuple[str, str]:
    """Decode a whole file.

    Args:
        data: the file's bytes.
        path: the file's path, for error messages.
        encoding: a name that Python knows; found out from the bytes when not given.

    Returns:
        The text and the name of the encoding that it was in.

    Raises:
        TextgenError: the bytes do not fit the encoding, no encoding fits, or it is no text.
    """
    if encoding is not None:
        text, found = _decode_as_told(data, path, encoding), encoding
    else:
        text, found = _detect(data, path)
    controls = sum(map(text.count, _CONTROLS))
    if controls > _BINARY * len(text):
        raise TextgenError(
            f"{path} is not a text file: {controls:,} of its {len(text):,} characters are control "
            "characters; give a .txt file"
        )
    return text, found


def _decode_as_told(data: bytes, path: Path, encoding: str) -> str:
    text = _decode_as(data, path, encoding)
    better = _most_sensible(_decode_all(data))
    if better is not None and _share_of_common(text) < _SENSIBLE:
        raise TextgenError(
            f"{path} is not {encoding}: its bytes fit, but come out as nonsense, and as {better} "
            "they make sense; leave --encoding out"
        )
    return text


def _decode_as(data: bytes, path: Path, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise TextgenError(
            f"{path} is not {encoding}: byte {error.start:,} of {len(data):,} does not fit; "
            "mend the file, or try another --encoding (without one it is found out)"
        ) from None
    except (LookupError, UnicodeError):
        raise UsageError(
            f"--encoding {encoding} is no encoding of text that Python knows; "
            "try utf-8, gb18030, big5 or utf-16"
        ) from None


def _detect(data: bytes, path: Path) -> tuple[str, str]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_as(data, path, encoding), encoding
    # Text in another encoding is never valid UTF-8 by chance, but for ASCII in UTF-16.
    if b"\0" not in data:
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-8"), "utf-8"
    decoded = _decode_all(data)
    best = _most_sensible(decoded)
    if best is not None:
        return decoded[best], best
    damaged = _most_sensible({name: data.decode(name, "replace") for name in _CANDIDATES})
    if damaged is not None:
        _decode_as(data, path, damaged)  # raises, and says where
    # Not Chinese as we know it: another language, where charset_normalizer knows it.
    guess = charset_normalizer.from_bytes(data).best()
    if guess is not None:
        return str(guess), guess.encoding
    raise TextgenError(
        f"{path} is no text in any encoding that is known here; give a .txt file, "
        "or name its encoding with --encoding"
    )


def _decode_all(data: bytes) -> dict[str, str]:
    """Return the text in every encoding that fits the bytes."""
    decoded = {}
    for encoding in _CANDIDATES:
        with contextlib.suppress(UnicodeDecodeError):
            decoded[encoding] = data.decode(encoding)
    return decoded


def _most_sensible(decoded: dict[str, str]) -> str | None:
    """Return the encoding whose text makes the most sense, if any makes sense at all."""
    shares = {encoding: _share_of_common(text) for encoding, text in decoded.items()}
    best = max(shares, key=shares.__getitem__, default=None)
    return best if best is not None and shares[best] >= _SENSIBLE else None


def _share_of_common(text: str) -> float:
    """Return the share of a sample's non-ASCII characters that are among the commonest."""
    middle = max(0, len(text) // 2 - _SAMPLE // 2)
    sample = text[middle : middle + _SAMPLE]
    others = [character for character in sample if character not in _ASCII]
    return sum(map(_COMMON.__contains__, others)) / len(others) if others else 1.0
