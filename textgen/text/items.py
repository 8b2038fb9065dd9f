"""Texts that stand for themselves, such as poems, or names one a line: items of one text.

They stand one after the other, and each is closed by a character that stands in none of them: a
line by its newline, a file by a form feed, which no clean text has. So what closes one item is also
what the next one begins after, and a list of them is a text like any other: it has a vocabulary,
and is counted, kept and read again as one.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from textgen.config import Items

_ENDS: dict[Items, str] = {"line": "\n", "file": "\f"}


def end_of(items: Items | None) -> str | None:
    """Return the character that closes an item; None where a text is one that goes on."""
    return None if items is None else _ENDS[items]


def closed(texts: Iterable[str], items: Items) -> Iterator[str]:
    """Yield the items of clean texts in their order, each with its end; blank ones are none."""
    for text in texts:
        for item in text.split("\n") if items == "line" else [text.strip("\n")]:
            if item.strip():
                yield item + _ENDS[items]


def shuffled(text: str, end: str, seed: int) -> str:
    """Return the items of a text in an order that follows from the seed.

    Lists are often sorted: the last share of one would be of another kind than the rest.
    """
    items = text.split(end)[:-1]
    order = np.random.default_rng(seed).permutation(len(items))
    return "".join(items[place] + end for place in order.tolist())


def split_items(text: str, end: str, share: float) -> tuple[str, str]:
    """Return the items to learn from, and the share at the end that is held out: at least one."""
    count = text.count(end)
    held_out = max(1, int(share * count)) if share else 0
    # Behind the last end stands nothing, which is one part more.
    cut = len(text) - sum(len(item) + 1 for item in text.split(end)[count - held_out : -1])
    return text[:cut], text[cut:]
