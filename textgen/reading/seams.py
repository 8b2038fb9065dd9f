"""Files that are partly in UTF-8 and partly in another encoding: two files put together, often."""

import contextlib
from collections.abc import Iterator
from itertools import groupby

from textgen.reading.damage import decode_marked, frequencies
from textgen.reading.detection import is_utf8, most_sensible

_LEAST_RUN = 24
"""Bytes beyond ASCII that prove that lines are in another encoding than those before."""

_ASCII = bytes(range(128))

_TOLD = 4
"""Changes of the encoding that are told one by one."""


def decode_several(data: bytes) -> tuple[str, str] | None:
    """Decode a file that is partly in UTF-8 and partly in another encoding, line by line.

    Returns:
        The text, marked where it does not fit, and which encoding begins in which line; None where
        there are no such parts.
    """
    runs = list(_runs(data))
    other = most_sensible(b"\n".join(run for in_utf8, run in runs if not in_utf8))
    if other is None or other.encoding == "utf-8" or len(runs) < 2:
        return None
    texts, told, line = [], [], 1
    for in_utf8, run in runs:
        encoding = "utf-8" if in_utf8 else other.encoding
        texts.append(decode_marked(run, encoding) if in_utf8 else _with_seams(run, encoding))
        told.append(f"{encoding} from line {line:,}")
        line += run.count(b"\n") + 1
    shown = [*told[:_TOLD], *[f"{len(told) - _TOLD:,} more changes"] * (len(told) > _TOLD)]
    return "\n".join(texts), ", ".join(shown)


def _with_seams(run: bytes, encoding: str) -> str:
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
    kinds = [None if line.isascii() else is_utf8(line) for line in lines]
    runs: list[tuple[bool, list[bytes]]] = []
    position = 0
    for kind, group in groupby(kinds):
        count = len(list(group))
        part = lines[position : position + count]
        position += count
        few = sum(len(line.translate(None, _ASCII)) for line in part) < _LEAST_RUN
        if runs and (few or kind == runs[-1][0]):
            runs[-1][1].extend(part)
        else:
            runs.append((kind is not False, part))
    for in_utf8, part in runs:
        yield in_utf8, b"\n".join(part)
