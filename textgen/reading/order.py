"""The order in which people put files: 第2章 before 第10章, and 第九回 before 第十回."""

import re
from pathlib import PurePath

_DIGITS = {
    character: value
    for value, characters in enumerate(
        ("零〇", "一壹", "二贰貳两兩", "三叁參", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
    )
    for character in characters
}
_UNITS = {
    "十": 10,
    "拾": 10,
    "百": 100,
    "佰": 100,
    "千": 1000,
    "仟": 1000,
    "万": 10_000,
    "萬": 10_000,
}
_TENS = {"廿": 20, "卅": 30}
_PARTS = {"上": 1, "中": 2, "下": 3}

_NUMERALS = "".join((*_DIGITS, *_UNITS, *_TENS))
_COUNTED = "回章卷节節集部册冊话話篇"
_NUMBER = re.compile(
    rf"(\d+|(?<=第)[{_NUMERALS}]+|[{_NUMERALS}]+(?=[{_COUNTED}])|^[{_NUMERALS}]+(?=\.|$)"
    rf"|[上中下](?=[{_COUNTED}]|[)）\].]|$))"
)

Key = tuple[tuple[tuple[bool, int, str], ...], ...]


def natural_key(path: PurePath) -> Key:
    """Return what to sort paths by: numbers by their values, in digits or in Chinese."""
    return tuple(_key(part) for part in path.parts)


def _key(name: str) -> tuple[tuple[bool, int, str], ...]:
    # What the pattern splits at stands at every second place: numbers, which come before text.
    pieces = enumerate(_NUMBER.split(name))
    return tuple(
        (False, value_of(piece), "") if place % 2 else (True, 0, piece.casefold())
        for place, piece in pieces
    )


def value_of(numeral: str) -> int:
    """Return the value of a numeral, as 120, 一百二十 or 一二〇; or the place of 上, 中 or 下."""
    if numeral.isdecimal():
        return int(numeral)
    if numeral in _PARTS:
        return _PARTS[numeral]
    if not any(character in _UNITS or character in _TENS for character in numeral):
        return int("".join(str(_DIGITS[character]) for character in numeral))
    total = section = digit = 0
    for character in numeral:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _TENS:
            section += _TENS[character]
        elif _UNITS[character] < 10_000:
            section += (digit or 1) * _UNITS[character]
            digit = 0
        else:
            total, section, digit = (total + section + digit or 1) * 10_000, 0, 0
    return total + section + digit
