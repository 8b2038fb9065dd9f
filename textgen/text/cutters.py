"""Pieces of a text cut into words, those of a long one by many processes."""

from textgen.processes import cores
from textgen.text import tokenizer

Kinds = list[str]
"""Each distinct word of a piece once, in the order in which they first come."""

_LEAST_SHARE = 500_000
"""Characters that a process cuts at least: it takes a second to begin."""

_MOST = 32
"""Processes at most: each has a table of 100 MB."""


def cut_piece(text: str) -> tuple[Kinds, list[int]]:
    """Return the distinct words of a text, and of each word in it which of those it is."""
    index: dict[str, int] = {}
    ids = [index.setdefault(word, len(index)) for word in tokenizer.cut(text)]
    return list(index), ids


def cutters(characters: int) -> int:
    """Return how many processes cut a text of so many characters."""
    return min(cores(), _MOST, characters // _LEAST_SHARE)
