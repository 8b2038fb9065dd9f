"""Changes at random: of bytes, of the values in JSON, of texts.

All that is drawn comes from one ``random.Random``, so the same seed makes the same change.
"""

import contextlib
import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

_BYTES = bytes((0, 9, 10, 13, 27, 0x20, 0x26, 0x3C, 0x7E, 0x7F, 0x80, 0xA0, 0xB0, 0xEF, 0xFE, 0xFF))

MARK = "<fuzz>"
"""HTML that must not come into a page as it is."""

TEXTS = (
    "",
    " ",
    "\n",
    "\r\n\t",
    "\0",
    "\x1b[31m\x1b]0;x\x07",
    "\x9b2J",
    "\ud800",
    "\udc80\udcff",
    "\u202e\u2066",
    "\ufeff",
    "\U0010ffff",
    f"</script>{MARK}<!--",
    f"'\"&{MARK}",
    "../../outside",
    "/outside",
    "..",
    "a/b\\c",
    "%s%n{0}{x}",
    "nan",
    "None",
    "9" * 30,
    "老周" * 2000,
    "--help",
    "auto",
    "sgd",
    "gru",
    "word",
)
"""Texts that have made programs stumble."""

NUMBERS = (
    *(0, 1, -1, 2, 3, 7, 255, 2**31, 2**32, 2**53 + 1, 2**62, 2**63, 2**64, -(2**63), 10**400),
    *(0.0, -0.0, 0.5, 1.0, 1.5, -0.5, 1e-320, 1e300, -1e300),
    *(float("inf"), float("-inf"), float("nan")),
)
"""Numbers that have."""

_TEXTUALLY: dict[str, str] = {
    "@deep list@": "[" * 1000 + "]" * 1000,
    "@deeper list@": "[" * 100_000,
    "@deep object@": '{"a":' * 1000 + "1" + "}" * 1000,
    "@giant number@": "9" * 5000,
    "@giant fraction@": "1e999999999",
    "@control@": '"\x1b[2J\x00"',
}
"""What Python's own json does not write, by what stands in for it."""


def mutated_bytes(data: bytes, draw: random.Random) -> bytes:
    """Return data with a few changes: bytes put in, taken out, changed, moved; or cut."""
    mutant = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        place = draw.randrange(len(mutant) + 1)
        length = draw.choice((1, 1, 2, 8, 100))
        match draw.randrange(6):
            case 0:
                mutant[place:place] = bytes(draw.choice(_BYTES) for _ in range(length))
            case 1:
                del mutant[place : place + length]
            case 2:
                mutant[place : place + length] = draw.randbytes(length)
            case 3:
                source = draw.randrange(len(mutant) + 1)
                mutant[place:place] = mutant[source : source + length]
            case 4 if mutant and place < len(mutant):
                mutant[place] ^= 1 << draw.randrange(8)
            case _:
                mutant = mutant[:place] if draw.random() < 0.5 else mutant[place:]
    return bytes(mutant)


def mutated_text(text: str, draw: random.Random) -> str:
    """Return a text with odd texts put in, pieces taken out, moved, or said over and over."""
    for _ in range(draw.choice((1, 1, 2, 5))):
        place, other = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        match draw.randrange(5):
            case 0:
                text = text[:place] + draw.choice(TEXTS) + text[place:]
            case 1:
                text = text[:place] + text[other:]
            case 2:
                text = text[other:] + text[place:other] + text[:place]
            case 3:
                text = text[:place] + chr(draw.randrange(0x110000)) + text[place:]
            case _:
                text = text[:place] + text[place:other] * draw.choice((0, 2, 3)) + text[other:]
    return text


def odd_value(draw: random.Random) -> Any:  # noqa: ANN401 - any at all
    """Return a value of any type, which is seldom the right one."""
    return draw.choice(
        (
            *(None, True, False, [], {}, [[]], [1, "a"], {"a": 1}, [None]),
            *(draw.choice(NUMBERS) for _ in range(4)),
            *(draw.choice(TEXTS) for _ in range(4)),
            draw.choice(tuple(_TEXTUALLY)),
        )
    )


def mutated_values(values: Any, draw: random.Random) -> Any:  # noqa: ANN401 - any at all
    """Return values as JSON has them, with a few changed, taken away, renamed, added, swapped."""
    values = copy.deepcopy(values)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        places = list(_places(values)) if isinstance(values, dict | list) else []
        if not places or draw.random() < 0.02:
            return odd_value(draw)
        container, key = draw.choice(places)
        match draw.randrange(8):
            case 0:
                del container[key]
            case 1 if isinstance(container, dict):
                container[draw.choice(TEXTS)] = container.pop(key)
            case 2 if isinstance(container, dict):
                container[draw.choice((*TEXTS, "format", "step"))] = odd_value(draw)
            case 3:
                other, other_key = draw.choice(places)
                container[key] = copy.deepcopy(other[other_key])
            case 4 if isinstance(container[key], int | float):
                container[key] = draw.choice(NUMBERS)
            case 5 if isinstance(container[key], str):
                container[key] = mutated_text(container[key], draw)
            case _:
                container[key] = odd_value(draw)
    return values


def json_bytes(values: Any, draw: random.Random) -> bytes:  # noqa: ANN401 - any at all
    """Return JSON for values, also for those that JSON does not have."""
    text = json.dumps(values, ensure_ascii=draw.random() < 0.5)
    for name, written in _TEXTUALLY.items():
        text = text.replace(json.dumps(name), written)
    return text.encode("utf-8", "surrogatepass")


def mutated_json(data: bytes, draw: random.Random) -> bytes:
    """Return a JSON file that was changed in its values, or in its bytes."""
    with contextlib.suppress(ValueError, RecursionError):
        if draw.random() < 0.75:
            return json_bytes(mutated_values(json.loads(data), draw), draw)
    return mutated_bytes(data, draw)


def mutated_lines(data: bytes, draw: random.Random) -> bytes:
    """Return a file of JSON lines in which some lines were changed, taken out, moved, doubled."""
    lines = data.splitlines()
    for _ in range(draw.choice((1, 1, 2, 5))):
        place = draw.randrange(len(lines) + 1)
        match draw.randrange(6):
            case 0:
                lines[place : place + 1] = []
            case 1:
                draw.shuffle(lines)
            case 2:
                lines[place:place] = [draw.choice((b"", b"{}", b"[]", b"0", b"null", b"\xff"))]
            case _:
                lines[place : place + 1] = [mutated_json(line, draw) for line in lines[place:][:1]]
    return b"\n".join(lines) + b"\n"


def either(
    *changes: Callable[[bytes, random.Random], bytes],
) -> Callable[[bytes, random.Random], bytes]:
    """Return a change that is one of some, drawn each time."""
    return lambda data, draw: draw.choice(changes)(data, draw)


def _places(values: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - any at all
    """Yield every place inside values: what holds it, and its key."""
    keys = values if isinstance(values, dict) else range(len(values))
    for key in keys:
        yield values, key
        if isinstance(values[key], dict | list):
            yield from _places(values[key])
