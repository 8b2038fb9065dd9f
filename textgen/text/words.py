"""A text cut into words: once, however often it is asked for, and a long one by many processes.

Shapes: N words in a text, K of them distinct.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.bars import progress_bar
from textgen.language import _
from textgen.processes import in_processes
from textgen.text.cutters import Kinds, cut_piece, cutters

_PIECE = 50_000
"""Characters, about, that are cut at a time; more where a line is longer."""

_LONG = 2_000_000
"""Characters from which on a text is cut by processes."""

_REMEMBERED = 10_000
"""Characters from which on it is remembered how a text was cut; fewer take no time."""


@dataclass(frozen=True)
class Words:
    """A text as words: four bytes each, whatever their length."""

    kinds: tuple[str, ...]
    """Each distinct word once, in the order in which they first come, (K,)."""

    ids: NDArray[np.int32]
    """Of each word which of those it is, (N,)."""

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return map(self.kinds.__getitem__, self.ids.tolist())

    def counts(self) -> dict[str, int]:
        """Return how often each distinct word occurs."""
        counts = np.bincount(self.ids, minlength=len(self.kinds))
        return dict(zip(self.kinds, counts.tolist(), strict=True))

    @classmethod
    def joined(cls, parts: Iterable[tuple[Sequence[str], Iterable[int]]]) -> "Words":
        """Return several texts one after the other, each as ``cut_piece`` returns it."""
        index: dict[str, int] = {}
        ids = [np.empty(0, np.int32)]
        for kinds, part in parts:
            known = [index.setdefault(kind, len(index)) for kind in kinds]
            ids.append(np.array(known, np.int32)[np.asarray(part, np.intp)])
        return cls(tuple(index), np.concatenate(ids))

    def between(self, start: int, end: int) -> tuple[Kinds, NDArray[np.int32]]:
        """Return the words between two characters, at each of which a word begins or the text ends.

        They are as ``cut_piece`` returns them.
        """
        lengths = np.array([len(kind) for kind in self.kinds], np.int64)
        ends = np.cumsum(lengths[self.ids])
        ids = self.ids[slice(*np.searchsorted(ends, (start, end), side="right"))]
        found, first, renamed = np.unique(ids, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        return [self.kinds[kind] for kind in found[order]], rank[renamed]


def words(text: str) -> Words:
    """Return the words of a text, and what stands between them; all together are the text.

    It is remembered how the last long text was cut, for what begins or ends it: a text is cut for
    its vocabulary, and then what is learned from and what is held out.
    """
    if len(text) < _REMEMBERED:
        return Words.joined([cut_piece(text)])
    known = _last[0].part(text)
    if known is None:
        _last.append(_NOTHING)  # two long ones need not be in memory
        known = _cut(text)
        _last.append(_Cut(text, known))
    return known


@dataclass(frozen=True)
class _Cut:
    """A text, and its words."""

    text: str
    words: Words

    def part(self, text: str) -> Words | None:
        """Return the words of what begins or ends it; None for another text."""
        if text == self.text:
            return self.words
        if self.text.startswith(text):  # whole lines, and the beginning of one
            line = text.rfind("\n") + 1
            return Words.joined([self.words.between(0, line), cut_piece(text[line:])])
        if self.text.endswith(text) and (line := text.find("\n") + 1):
            start = len(self.text) - len(text) + line
            rest = self.words.between(start, len(self.text))
            return Words.joined([cut_piece(text[:line]), rest])
        return None


_NOTHING = _Cut("", Words.joined([]))

_last = deque([_NOTHING], maxlen=1)


def _cut(text: str) -> Words:
    """Cut a text piece by piece, a long one by as many processes as there are cores."""
    pieces = list(whole_lines(text))
    count = min(cutters(len(text)), len(pieces)) if len(text) >= _LONG else 1
    one_by_one = (cut_piece(piece) for piece in pieces)
    cut = in_processes(cut_piece, pieces, count) if count > 1 else one_by_one
    what = _("cutting the text into words")
    with progress_bar(len(text), _("characters"), what, delay=2.0) as bar, closing(cut):

        def watched() -> Iterator[tuple[Kinds, list[int]]]:
            for piece, found in zip(pieces, cut, strict=True):
                bar.update(len(piece))
                yield found

        return Words.joined(watched())


def whole_lines(text: str) -> Iterator[str]:
    """Yield a text in pieces of whole lines, as they are cut; none of an empty one."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _PIECE) + 1 or len(text)
        yield text[start:end]
        start = end
