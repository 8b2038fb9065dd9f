"""Pieces of a long text cut into words in processes of their own, one for each core.

They are plain processes that are asked in JSON, a line for a piece, rather than those of
``multiprocessing``: those would run a user's script once more, or copy a process that has threads.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice

from textgen.errors import TextgenError
from textgen.text import tokenizer

Kinds = list[str]
"""Each distinct word of a piece once, in the order in which they first come."""

_LEAST_SHARE = 500_000
"""Characters that a process cuts at least: it takes a second to begin."""

_MOST = 32
"""Processes at most: each has a table of 100 MB."""

_CODE = "from textgen.text.cutters import serve; serve()"


def cut_piece(text: str) -> tuple[Kinds, list[int]]:
    """Return the distinct words of a text, and of each word in it which of those it is."""
    index: dict[str, int] = {}
    ids = [index.setdefault(word, len(index)) for word in tokenizer.cut(text)]
    return list(index), ids


def cutters(characters: int) -> int:
    """Return how many processes cut a text of so many characters."""
    return min(os.cpu_count() or 1, _MOST, characters // _LEAST_SHARE)


def cut_in_processes(
    pieces: Sequence[str], count: int
) -> Generator[tuple[Kinds, list[int]], None, None]:
    """Yield what ``cut_piece`` makes of every piece, in order; who stops listening ends it at once.

    Args:
        pieces: of about the same length, so that they are done at about the same time.
        count: how many processes.

    Raises:
        TextgenError: one of them ended by itself.
    """
    with ExitStack() as stack:
        cutters = [stack.enter_context(_cutter()) for _ in range(min(count, len(pieces)))]
        asked = cycle(cutters)
        for piece in pieces[: len(cutters)]:
            _ask(next(asked), piece)
        # Who has answered has nothing left to say, and so listens: neither waits for the other.
        for number, answering in enumerate(islice(cycle(cutters), len(pieces))):
            answer = _answer(answering)
            if number + len(cutters) < len(pieces):
                _ask(next(asked), pieces[number + len(cutters)])
            yield answer


def serve() -> None:
    """Cut what comes in, until nothing more does; this is what such a process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who has started it ends it
    for line in sys.stdin:
        print(json.dumps(cut_piece(json.loads(line))), flush=True)


@contextmanager
def _cutter() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(  # noqa: S603 - a fixed command
        [sys.executable, "-c", _CODE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _ask(process: "subprocess.Popen[str]", piece: str) -> None:
    try:
        print(json.dumps(piece), file=process.stdin, flush=True)
    except BrokenPipeError:
        raise _ended() from None


def _answer(process: "subprocess.Popen[str]") -> tuple[Kinds, list[int]]:
    line = process.stdout.readline() if process.stdout else ""
    if not line.endswith("\n"):
        raise _ended()
    kinds, ids = json.loads(line)
    return kinds, ids


def _ended() -> TextgenError:
    return TextgenError(
        "a process that cuts the text into words has ended: try again with more memory free, "
        "or with a shorter text (--max-tokens)"
    )
