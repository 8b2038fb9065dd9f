"""Bytes to text: which encoding a file is in, and what of it does not fit.

Most encodings of Chinese decode most bytes into something, so a clean decode proves little:
the whole of a Big5 novel decodes strictly as GB18030, into nonsense. What tells sense from
nonsense is that in sense the commonest characters are common.
"""

import codecs
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import charset_normalizer

from textgen.config import Errors
from textgen.errors import TextgenError, UsageError
from textgen.reading import scripts
from textgen.reading.damage import MARK, Damage, decode_marked, frequencies, take_out
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
_WIDE = {"utf-16-le": scripts.ALL, "utf-16-be": scripts.ALL}
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

# Not the ends of lines and files, and not what begins a terminal's escape sequences.
_CONTROLS = [chr(code) for code in range(32) if chr(code) not in "\t\n\v\f\r\x1a\x1b"]

_SENSIBLE = 1 / 3
"""Least sense of a text where an encoding has thousands of characters: nonsense has below 0.2."""

_SENSIBLE_OF_ONE_BYTE = 0.8
"""Least sense of a text where it has at most 128 beside ASCII, and all bytes come to some."""

_SAMPLE = 30_000
"""Bytes that are looked at in each of three places of a large file."""

_BINARY = 0.01
"""Least share of control characters that makes a file no text."""

_MENDED = 0.001
"""Share of a text's characters that may be left out unasked."""

_SHORT = 64
"""Bytes of a text that may have sense without any of the commonest characters."""

_CUT = 10.0
"""Nats by which a file's first line must be more frequent without its first byte."""

_LEAST_RUN = 8
"""Characters beyond ASCII that prove that lines are in another encoding than those before."""


@dataclass(frozen=True)
class Decoded:
    """A text, and what there is to tell about how it was read."""

    text: str
    encoding: str
    """What it was in; of a file in several, each with the line that it begins in."""

    damage: Damage | None = None
    """What was left out because it does not fit."""


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
    skipped = 0
    if encoding is None:
        found, skipped = _detect(data, path)
    else:
        found = encoding
    marked = MARK * skipped + _decode_as(data[skipped:], found)
    text, damage = take_out(marked)
    decoded = Decoded(text, found, damage)
    if encoding is not None:
        _check_sense(decoded, data, path)
    if damage is not None and _too_much(decoded, errors):
        several = _decode_several(data) if encoding is None and errors == "mend" else None
        if several is None:
            raise TextgenError(_refusal(decoded, path, errors))
        decoded = several
    for sample in (decoded.text[:_SAMPLE], _middle(decoded.text)):
        controls = sum(map(sample.count, _CONTROLS))
        if controls > _BINARY * len(sample):
            raise TextgenError(
                f"{path} is not a text file: {controls:,} of {len(sample):,} characters looked at "
                "are control characters; give a .txt file"
            )
    return decoded


def _decode_as(data: bytes, encoding: str) -> str:
    try:
        return decode_marked(data, encoding)
    except (LookupError, UnicodeError):
        raise UsageError(
            f"--encoding {encoding} is no encoding of text that Python knows; "
            "try utf-8, gb18030, big5 or utf-16"
        ) from None


def _too_much(decoded: Decoded, errors: Errors) -> bool:
    """Return whether more does not fit than is left out; a file may be cut at both ends."""
    damage = decoded.damage
    if damage is None or errors == "replace":
        return False
    return errors == "strict" or damage.inside > max(1, _MENDED * len(decoded.text))


def _refusal(decoded: Decoded, path: Path, errors: Errors) -> str:
    damage, encoding = decoded.damage, decoded.encoding
    assert damage is not None  # noqa: S101 - for mypy
    places = f"{damage.count:,} place{'s' * (damage.count != 1)}"
    what = f"{path} does not fit {encoding} in {places}, the first in line {damage.line:,}"
    if errors == "strict":
        return f"{what}: {damage.around}; mend the file, or leave --errors strict out"
    return (
        f"{what}: {damage.around}; more than one in a thousand characters is left out only with "
        "--errors replace; or try another --encoding (without one it is found out)"
    )


def _check_sense(decoded: Decoded, data: bytes, path: Path) -> None:
    """Refuse an encoding that was told and gives nonsense where another gives sense.

    Raises:
        TextgenError: it does.
    """
    if len(data) <= _SHORT or sense(_middle(decoded.text), scripts.ALL) >= _SENSIBLE:
        return
    better, _ = _most_sensible(data)
    if better is not None and codecs.lookup(better) != codecs.lookup(decoded.encoding):
        raise TextgenError(
            f"{path} is not {decoded.encoding}: its bytes come out as nonsense, and as {better} "
            "they make sense; leave --encoding out"
        )


def _middle(text: str) -> str:
    middle = max(0, len(text) // 2 - _SAMPLE // 2)
    return text[middle : middle + _SAMPLE]


def _detect(data: bytes, path: Path) -> tuple[str, int]:
    """Return the encoding, and how many bytes at the beginning are half a character."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding, 0
    # Text in another encoding is never valid UTF-8 by chance, but for ASCII in UTF-16 and for
    # what needs no more than seven bits.
    if b"\0" not in data and _is_utf8(data):
        if len(data) <= _SHORT and _is_gb2312(data) and not _sensible(data.decode("utf-8")):
            return "gb18030", 0  # 却说 is valid UTF-8 by chance
        return _in_seven_bits(data) or "utf-8", 0
    found, skipped = _most_sensible(data)
    if found is not None:
        return found, skipped
    if _is_gb2312(data):  # too short to tell, or a list of names
        return "gb18030", 0
    # Not as we know it: another language, where charset_normalizer knows it.
    guess = charset_normalizer.from_bytes(data).best()
    if guess is not None and not guess.encoding.startswith("utf"):
        return guess.encoding, 0
    raise TextgenError(
        f"{path} is no text in any encoding that is known here; give a .txt file, "
        "or name its encoding with --encoding"
    )


def _is_utf8(data: bytes) -> bool:
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


def _sensible(text: str) -> bool:
    return sense(text, scripts.ALL) >= _SENSIBLE


def _in_seven_bits(data: bytes) -> str | None:
    """Return the encoding of Chinese, Japanese or Korean that is in ASCII's bytes, if any is."""
    if not _SEVEN_BITS_SIGNS.search(data) or not data.isascii():
        return None
    for encoding in _SEVEN_BITS:
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if not text.isascii() and sense(_middle(text), scripts.ALL) >= _SENSIBLE:
                return encoding
    return None


def _most_sensible(data: bytes) -> tuple[str | None, int]:
    """Return the encoding in which bytes make the most sense, if any, and skipped bytes."""
    sample = _sample(data)
    if _sense_as_utf8(sample) >= _SENSIBLE_OF_ONE_BYTE:
        return "utf-8", 0
    if b"\0" not in sample:
        many = {name: sense(_read(sample, name), of) for name, of in _MANY_BYTES.items()}
        best = max(many, key=many.__getitem__)
        if many[best] >= _SENSIBLE and not sample.isascii():
            return best, _half_a_character(data, best)
    # An even number of bytes before the sample keeps its pairs together.
    pairs = data[len(data) // 2 // 2 * 2 :][:_SAMPLE] if len(data) > _SAMPLE else data
    wide = {
        (name, skipped): sense(_read(pairs[skipped:], name), of)
        for skipped in (0, 1)
        for name, of in _WIDE.items()
    }
    widest = max(wide, key=wide.__getitem__)
    if wide[widest] >= _SENSIBLE:
        return widest
    one = {name: min(1.0, sense(_read(sample, name), of)) for name, of in _ONE_BYTE.items()}
    best = max(one, key=one.__getitem__)
    return (best, 0) if one[best] >= _SENSIBLE_OF_ONE_BYTE and b"\0" not in sample else (None, 0)


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
    beyond = sum(not character.isascii() for character in text)
    return 1 - text.count(MARK) / beyond if beyond else 0.0


def _half_a_character(data: bytes, encoding: str) -> int:
    """Return 1 where the first line makes more sense without its first byte: the file was cut.

    A first byte in ASCII stays: it may be a letter as well as half a character.
    """
    line, _, rest = data.partition(b"\n")
    if not line or line[0] < 0x80:
        return 0
    line, frequency = line[:_SAMPLE], frequencies(rest, encoding)
    whole, cut = (sum(map(frequency, _read(part, encoding))) for part in (line, line[1:]))
    return int(cut > whole + _CUT)


def _decode_several(data: bytes) -> Decoded | None:
    """Decode a file that is partly in UTF-8 and partly in another encoding, line by line."""
    runs = list(_runs(data))
    others = b"\n".join(run for is_utf8, run in runs if not is_utf8)
    other, _ = _most_sensible(others)
    if other is None or other == "utf-8" or len(runs) < 2:
        return None
    texts, told, line = [], [], 1
    for is_utf8, run in runs:
        encoding = "utf-8" if is_utf8 else other
        texts.append(decode_marked(run, encoding) if is_utf8 else _decode_with_seams(run, other))
        told.append(f"{encoding} from line {line:,}")
        line += run.count(b"\n") + 1
    shown = told[:4] + [f"{len(told) - 4:,} more changes"] * (len(told) > 4)
    text, damage = take_out("\n".join(texts))
    decoded = Decoded(text, ", ".join(shown), damage)
    return None if _too_much(decoded, "mend") else decoded


def _decode_with_seams(run: bytes, encoding: str) -> str:
    """Decode lines before and after which UTF-8 stands, perhaps still in the first or last one."""
    first, newline, rest = run.partition(b"\n")
    middle, last_newline, last = rest.rpartition(b"\n")
    frequency = frequencies(middle, encoding)

    def seam(line: bytes, before: str, after: str) -> str:
        cuts = range(len(line) + 1)
        ways = []
        # Where two are as frequent, that with less in UTF-8 comes first: two bytes may be both.
        for cut in cuts if before == "utf-8" else reversed(cuts):
            with contextlib.suppress(UnicodeDecodeError):
                ways.append(line[:cut].decode(before) + line[cut:].decode(after))
        best = max(ways, key=lambda way: sum(map(frequency, way)), default=None)
        return best if best is not None else decode_marked(line, encoding)

    between = decode_marked(newline + middle + last_newline, encoding)
    return seam(first, "utf-8", encoding) + between + seam(last, encoding, "utf-8")


def _runs(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Yield runs of lines that are in UTF-8, and of those that are not, each whole.

    What has too little beyond ASCII to prove anything belongs to the run before it.
    """
    lines = data.split(b"\n")
    kinds: list[bool | None] = []
    for line in lines:
        known = None if line.isascii() else _is_utf8(line)
        kinds.append(known)
    runs: list[tuple[bool, list[bytes]]] = []
    position = 0
    for kind, group in groupby(kinds):
        count = sum(1 for _ in group)
        part = lines[position : position + count]
        position += count
        beyond = sum(byte >= 0x80 for line in part for byte in line) if kind is not None else 0
        if runs and (kind is None or kind == runs[-1][0] or beyond < 3 * _LEAST_RUN):
            runs[-1][1].extend(part)
        else:
            runs.append((kind is not False, part))
    for is_utf8, part in runs:
        yield is_utf8, b"\n".join(part)
