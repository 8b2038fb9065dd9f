"""Places of a text that do not fit its encoding: found, taken out, and told.

While a text is decoded, U+FFFD stands at each of them, as Unicode means it to; so those that an
earlier program has left in a file are found alike.
"""

import codecs
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import log

from textgen.language import _
from textgen.reading.scripts import most_like
from textgen.text.characters import count_characters

MARK = "\N{REPLACEMENT CHARACTER}"
_SHOWN = "▯"
"""Stands in a message where something is left out."""

_AROUND = 10
"""Characters that a message shows on each side of such a place."""

_PLACES = re.compile(f"{MARK}+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_EURO = b"\x80"
"""Code page 936 has the euro sign in this one byte, in which GB18030 has nothing."""

_SEARCHED = 300
"""Characters before a place in which the byte that is too much is looked for at first."""

_DOUBT = 8.0
"""Nats by which a text must be more frequent where a byte before the place is left out."""

_BEYOND_ASCII = 0x80
_WIDEST = 4
"""Bytes of a character, at most."""

_RESTING = 0x30
"""Bytes below this are no part of a longer character."""

_PIECE = 1 << 22
"""Bytes that are decoded at a time."""

_SAMPLE = 1_000_000
"""Bytes from which it is learned how frequent each character is."""

_COMMON = 10
_RARE = 0.01
"""What is added to the count of a script's commonest characters, and to those of all others."""

_FOUR_BYTES = frozenset({"utf-32", "utf-32-le", "utf-32-be"})
_TWO_BYTES = frozenset({"utf-16", "utf-16-le", "utf-16-be"})
_SEVEN_BITS = ("utf-7", "hz", "iso2022")


@dataclass(frozen=True)
class Damage:
    """What was left out of a text because it does not fit."""

    count: int
    """Places; what stands side by side is one."""

    inside: int
    """Those that are not at the very beginning or end, where a file may have been cut."""

    line: int
    """Of the first place; the first line is 1."""

    around: str
    """The first place with the text around it."""

    def describe(self, encoding: str) -> str:
        """Return one line: how many places, and where the first is."""
        template = (
            _("1 place does not fit {encoding} and is left out, in line {line:,}: {around}")
            if self.count == 1
            else _(
                "{count:,} places do not fit {encoding} and are left out, the first in line "
                "{line:,}: {around}"
            )
        )
        return template.format(
            count=self.count, encoding=encoding, line=self.line, around=self.around
        )


def take_out(text: str) -> tuple[str, Damage | None]:
    """Return a marked text without its marks, and what they stood for."""
    if MARK not in text:
        return text, None
    places = [place.span() for place in _PLACES.finditer(text)]
    start, end = places[0]
    before, after = text[max(0, start - _AROUND) : start], text[end : end + 2 * _AROUND]
    around = before.rpartition("\n")[2] + _SHOWN + after.replace(MARK, _SHOWN).partition("\n")[0]
    around = "".join(c if c.isprintable() or c == _SHOWN else " " for c in around)
    inside = sum(start > 0 and end < len(text) for start, end in places)
    line = text.count("\n", 0, start) + 1
    damage = Damage(len(places), inside, line, around[: 2 * _AROUND + 1].strip())
    return text.replace(MARK, ""), damage


def decode_marked(data: bytes, encoding: str) -> str:
    """Decode bytes, with U+FFFD at every place that does not fit.

    Where a byte is too much or too few in a text of two bytes a character, all that follows up to
    the next ASCII character may fit by chance: there the byte is looked for without which the
    characters are the most frequent ones.

    Args:
        data: the bytes.
        encoding: the name of an encoding of text that Python knows.
    """
    name = codecs.lookup(encoding).name
    try:
        return _decode_in_pieces(data, encoding)
    except UnicodeDecodeError:
        pass
    if name in _TWO_BYTES | _FOUR_BYTES:
        width = 2 if name in _TWO_BYTES else 4
        whole = data[: len(data) // width * width]
        errors = "surrogatepass" if width == 2 else "replace"
        text = _SURROGATES.sub(MARK, whole.decode(encoding, errors))
        return text if len(whole) == len(data) else text + MARK
    if name.startswith(("utf", *_SEVEN_BITS)):
        return data.decode(encoding, "replace")
    return _decode_by_line(data, encoding)


def _decode_in_pieces(data: bytes, encoding: str) -> str:
    """Decode strictly; of a long text, Python's own way takes up to twice the memory meanwhile."""
    if len(data) <= _PIECE:
        return data.decode(encoding)
    decoder = codecs.getincrementaldecoder(encoding)()
    starts = range(0, len(data), _PIECE)
    pieces = (decoder.decode(data[start : start + _PIECE]) for start in starts)
    return "".join([*pieces, decoder.decode(b"", final=True)])


def _decode_by_line(data: bytes, encoding: str) -> str:
    frequency: Callable[[str], float] | None = None
    view, pieces, position = memoryview(data), [], 0
    while True:
        try:
            pieces.append(str(view[position:], encoding))
            return "".join(pieces)
        except UnicodeDecodeError as error:
            place = position + error.start
        start = max(position, data.rfind(b"\n", position, place) + 1)
        end = data.find(b"\n", place)
        end = len(data) if end < 0 else end
        frequency = frequency or frequencies(data, encoding)
        pieces += [
            str(view[position:start], encoding),
            _mended(data[start:end], encoding, frequency),
        ]
        position = end


def frequencies(data: bytes, encoding: str, start: int = 0) -> Callable[[str], float]:
    """Return what tells the logarithm of how frequent a character is in a text like this one.

    Args:
        data: the text's bytes.
        encoding: how they are to be read.
        start: the first byte that is looked at.
    """
    text = data[start : start + _SAMPLE].decode(encoding, "ignore")
    counts = Counter(count_characters(text))
    counts.update(dict.fromkeys(most_like(text).common, _COMMON))
    logarithms = {character: log(count) for character, count in counts.items()}
    total, rare = log(counts.total()), log(_RARE)
    logarithms[MARK] = rare - _DOUBT  # one more place would not fit
    return lambda character: logarithms.get(character, rare) - total


def _mended(line: bytes, encoding: str, frequency: Callable[[str], float]) -> str:
    """Return a line without the bytes that are too much, a mark in their place."""
    done = ""
    while True:
        try:
            return done + line.decode(encoding)
        except UnicodeDecodeError as error:
            place = error.start
        if line[place : place + 1] == _EURO:
            left, right = line[:place].decode(encoding) + MARK + "€", line[place + 1 :]
        else:
            left, right = _without_one_byte(line, place, encoding, frequency)
        done, line = done + left, right


def _without_one_byte(
    line: bytes, place: int, encoding: str, frequency: Callable[[str], float]
) -> tuple[str, bytes]:
    """Return a line's text up to a byte that is too much, marked, and the bytes after it.

    Args:
        line: bytes that do not fit.
        place: the first byte at which it shows.
        encoding: how they are to be read.
        frequency: of a text's characters.
    """
    left = line[:place].decode(encoding)
    end = min(_next_resting_place(line, place), place + _SEARCHED)
    searched = _SEARCHED
    while True:
        # Encoded anew, so that it begins where a character does.
        base = max(0, place - len(left[-searched:].encode(encoding, "ignore")))
        first, byte = _byte_too_much(line[base:end], place - base, encoding, frequency)
        if searched >= len(left) or byte > _WIDEST:
            first, byte = base + first, base + byte
            return line[:first].decode(encoding) + MARK, line[first:byte] + line[byte + 1 :]
        searched *= 8  # all that was looked at makes more sense otherwise: it began before


def _byte_too_much(
    data: bytes, place: int, encoding: str, frequency: Callable[[str], float]
) -> tuple[int, int]:
    """Return the byte, up to a place, without which characters are the most frequent ones.

    Returns:
        Where the character begins in which it is, and where itself is.
    """
    starts = range(len(data))
    characters = [_character(data[at : at + _WIDEST], encoding) for at in starts]

    # What follows each byte, read from there on: the sum of its characters' frequencies.
    after = [0.0] * (len(data) + _WIDEST)
    for at in reversed(starts):
        character, width = characters[at]
        after[at] = frequency(character) + after[at + width]
    ways, before, at = {}, 0.0, 0
    while at <= place:
        if data[at] >= _BEYOND_ASCII:
            ways[at, at] = before + after[at + 1] + _DOUBT * (at == place)
            if at < place:  # or the second byte of a character
                split = data[at : at + 1] + data[at + 2 : at + 1 + _WIDEST]
                character, width = _character(split, encoding)
                ways[at, at + 1] = before + frequency(character) + after[at + 1 + width]
        character, width = characters[at]
        before += frequency(character)
        at += width
    return max(ways, key=ways.__getitem__, default=(place, place))


def _character(data: bytes, encoding: str) -> tuple[str, int]:
    """Return the character with which bytes begin, and how many bytes it has."""
    for width in range(1, len(data) + 1):
        if _fits(data[:width], encoding):
            return data[:width].decode(encoding), width
    return MARK, 1


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _next_resting_place(line: bytes, place: int) -> int:
    """Return where after a place a byte stands that is no part of a longer character."""
    for position in range(place + 1, len(line)):
        if line[position] < _RESTING:
            return position
    return len(line)
