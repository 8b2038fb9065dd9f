"""Which encoding bytes are in, found out from themselves.

Most encodings of Chinese decode most bytes into something, so a clean decode proves little:
the whole of a Big5 novel decodes strictly as GB18030, into nonsense. What tells sense from
nonsense is that in sense the commonest characters are common.
"""

import codecs
import contextlib
import re
from typing import NamedTuple

import charset_normalizer

from textgen.reading import scripts
from textgen.reading.damage import MARK, frequencies
from textgen.reading.scripts import sense

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's, so it is asked first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Where two make the same sense, the first counts. cp950 and big5hkscs each add characters to
# Big5 that the other lacks, and big5hkscs has look-alikes for some of Big5's punctuation.
_MANY_BYTES = {
    "gb18030": (scripts.CHINESE,),
    "big5": (scripts.CHINESE,),
    "cp950": (scripts.CHINESE,),
    "big5hkscs": (scripts.CHINESE,),
    "cp932": (scripts.JAPANESE,),
    "euc_jp": (scripts.JAPANESE,),
    "cp949": (scripts.KOREAN,),
}
_ONE_BYTE = {
    "cp1252": (scripts.WESTERN,),
    "cp1251": (scripts.RUSSIAN,),
    "koi8-r": (scripts.RUSSIAN,),
    "cp1250": (scripts.CENTRAL_EUROPEAN,),
    "cp1254": (scripts.TURKISH,),
    "cp1257": (scripts.BALTIC,),
    "cp1253": (scripts.GREEK,),
    "cp1255": (scripts.HEBREW,),
    "cp1256": (scripts.ARABIC,),
    "cp874": (scripts.THAI,),
    "cp866": (scripts.RUSSIAN,),
}
_SEVEN_BITS = ("iso2022_jp", "iso2022_jp_ext", "iso2022_kr", "hz", "utf-7")
_SEVEN_BITS_SIGNS = re.compile(rb"\x1b\$|~\{|\+[A-Za-z0-9+/]{3}")

_SENSIBLE = 1 / 3
"""Least sense of a text where an encoding has thousands of characters: nonsense has below 0.2."""

_SENSIBLE_OF_ONE_BYTE = 0.8
"""Least sense of a text where it has at most 128 beside ASCII, and all bytes come to some."""

_SAMPLE = 30_000
"""Bytes that are looked at in each of three places of a large file."""

SHORT = 64
"""Bytes of a text that may have sense without any of the commonest characters."""

_CUT = 10.0
"""Nats by which a file's first line must be more frequent without its first byte."""


class Found(NamedTuple):
    """An encoding, and how many bytes at the beginning are half a character: the file was cut."""

    encoding: str
    skipped: int = 0


def detect(data: bytes) -> Found | None:
    """Return which encoding bytes are in; None where they make no sense in any."""
    return by_its_mark(data) or _in_utf8(data) or most_sensible(data) or _without_much_sense(data)


def by_its_mark(data: bytes) -> Found | None:
    """Return the encoding that a file's byte order mark says, if it has one."""
    return next((Found(name) for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)


def _in_utf8(data: bytes) -> Found | None:
    """Return what a file is in that is valid UTF-8: no other text is by chance.

    But for ASCII in UTF-16, for what needs no more than seven bits, and for a few bytes.
    """
    sample = _sample(data)
    if len(sample) < len(data) and not sample.isascii() and _sense_as_utf8(sample) == 1:
        return Found("utf-8")  # a large file need not be decoded twice
    if b"\0" in data or not is_utf8(data):
        return None
    if len(data) <= SHORT and _is_gb2312(data) and not is_sensible(data.decode("utf-8")):
        return Found("gb18030")  # 却说
    return Found(_in_seven_bits(data) or "utf-8")


def _without_much_sense(data: bytes) -> Found | None:
    if _is_gb2312(data):  # too short to tell, or a list of names
        return Found("gb18030")
    # Another language, where charset_normalizer knows it.
    guess = charset_normalizer.from_bytes(data).best()
    if guess is None or guess.encoding.startswith("utf"):
        return None
    return Found(guess.encoding)


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are valid UTF-8."""
    with contextlib.suppress(UnicodeDecodeError):
        data.decode("utf-8")
        return True
    return False


def _is_gb2312(data: bytes) -> bool:
    """Return whether bytes are simplified Chinese without a rare character, at least by chance."""
    with contextlib.suppress(UnicodeDecodeError):
        data.decode("gb2312")
        return not data.isascii()
    return False


def is_sensible(text: str) -> bool:
    """Return whether a text is one in any script, by the middle of it."""
    middle = max(0, len(text) // 2 - _SAMPLE // 2)
    return sense(text[middle : middle + _SAMPLE], scripts.ALL) >= _SENSIBLE


def _in_seven_bits(data: bytes) -> str | None:
    """Return the encoding of Chinese, Japanese or Korean that is in ASCII's bytes, if any is."""
    if not _SEVEN_BITS_SIGNS.search(data) or not data.isascii():
        return None
    for encoding in _SEVEN_BITS:
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if not text.isascii() and is_sensible(text):
                return encoding
    return None


def most_sensible(data: bytes) -> Found | None:
    """Return the encoding in which bytes make the most sense, if they make any."""
    sample = _sample(data)
    if b"\0" in sample:
        return _in_pairs(data)
    if _sense_as_utf8(sample) >= _SENSIBLE_OF_ONE_BYTE:
        return Found("utf-8")
    if sample.isascii():
        return None
    many = {name: sense(_read(sample, name), of) for name, of in _MANY_BYTES.items()}
    best = max(many, key=many.__getitem__)
    if many[best] >= _SENSIBLE:
        return Found(best, _half_a_character(data, best))
    # Any bytes are letters of an alphabet: that of the usual ones, where two have only such.
    one = {name: min(1.0, sense(_read(sample, name), of)) for name, of in _ONE_BYTE.items()}
    best = max(one, key=one.__getitem__)
    return _in_pairs(data) or (Found(best) if one[best] >= _SENSIBLE_OF_ONE_BYTE else None)


def _in_pairs(data: bytes) -> Found | None:
    """Return which byte comes first in UTF-16 that does not say so, if it is that."""
    even = max(0, len(data) - _SAMPLE) // 4 * 2  # so that pairs stay together
    pairs = data[even : even + _SAMPLE]
    ways = {
        Found(name, skipped): sense(_read(pairs[skipped:], name), scripts.ALL)
        for skipped in (0, 1)
        for name in ("utf-16-le", "utf-16-be")
    }
    best = max(ways, key=ways.__getitem__)
    return best if ways[best] >= _SENSIBLE else None


def _sample(data: bytes) -> bytes:
    """Return the whole of a small file; of a large one, lines from three places."""
    if len(data) <= 3 * _SAMPLE:
        return data
    starts = (0, len(data) // 2, len(data) - _SAMPLE)
    return b"\n".join(_whole_lines(data[start : start + _SAMPLE]) for start in starts)


def _whole_lines(piece: bytes) -> bytes:
    first, last = piece.find(b"\n"), piece.rfind(b"\n")
    return piece[first + 1 : last] if first < last else piece


def _read(data: bytes, encoding: str) -> str:
    return data.decode(encoding, "replace").strip(MARK)


def _sense_as_utf8(sample: bytes) -> float:
    """Return the share of what is valid among that beyond ASCII: by chance it never is."""
    if b"\0" in sample:
        return 0.0
    text = sample.decode("utf-8", "replace")
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    return 1 - text.count(MARK) / beyond if beyond else 0.0


def _half_a_character(data: bytes, encoding: str) -> int:
    """Return 1 where the first line makes more sense without its first byte: the file was cut.

    A first byte in ASCII stays: it may be a letter as well as half a character.
    """
    end = data.find(b"\n") if b"\n" in data else len(data)
    if end == 0 or data[0] < 0x80:
        return 0
    line, frequency = data[: min(end, _SAMPLE)], frequencies(data, encoding, end + 1)
    whole, cut = (sum(map(frequency, _read(part, encoding))) for part in (line, line[1:]))
    return int(cut > whole + _CUT)
