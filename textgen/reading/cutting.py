"""Texts in words on their way into a store: cut once, in processes, and numbered as they come.

They are cut as a text in memory is: all of it for the vocabulary; and the line in whose middle the
held-out part begins once more, as the end of one text and the beginning of another.

Shapes: V vocabulary.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from textgen.bars import progress_bar
from textgen.language import _
from textgen.processes import in_processes
from textgen.reading.kept import Kept
from textgen.reading.word_numbers import WordNumbers
from textgen.text.cutters import cut_piece, cutters
from textgen.text.store import Ids, IdType
from textgen.text.vocab import Vocab
from textgen.text.words import whole_lines

_PIECE = 2**20
"""Numbers that are in memory at a time."""


@dataclass
class _Text:
    """A text in three parts: lines, the line that is learned from in part, and lines held out."""

    kept: Kept
    begin: int
    """The character at which that line begins."""

    end: int
    """That at which the next one does; where the held-out part begins with a line, the same."""

    words: list[int] = field(default_factory=lambda: [0, 0, 0])
    """How many stand in each part."""


class Words:
    """The words of texts, counted.

    Args:
        kept: the texts.
        numbers: the file that their numbers go into.
        workers: processes that cut, at most.
    """

    def __init__(self, kept: Sequence[Kept], numbers: Path, workers: int) -> None:
        self._file = numbers
        self._numbers = WordNumbers()
        self._texts: list[_Text] = []
        self._cut(kept, workers)
        self.counts: Mapping[str, int] = self._numbers.counts
        """How often each one occurs; of very many, the frequent ones."""

    @property
    def kinds(self) -> int:
        """How many different ones there are; one that was forgotten and came again is another."""
        return self._numbers.given

    def training(self, vocab: Vocab, dtype: IdType) -> Iterator[Ids]:
        """Yield the ids of what is learned from, text by text and piece by piece."""
        id_of, first = self._ids(vocab, dtype), 0
        for text in self._texts:
            yield from self._looked_up(id_of, first, first + text.words[0])
            yield self._encoded(text.kept.text(text.begin, text.kept.learned), vocab, id_of)
            first += sum(text.words)

    def held_out(self, vocab: Vocab, dtype: IdType) -> Iterator[Ids]:
        """Yield those of what is held out."""
        id_of, first = self._ids(vocab, dtype), 0
        for text in self._texts:
            yield self._encoded(text.kept.text(text.kept.learned, text.end), vocab, id_of)
            end = first + sum(text.words)
            yield from self._looked_up(id_of, end - text.words[2], end)
            first = end

    def _cut(self, kept: Sequence[Kept], workers: int) -> None:
        total = sum(one.read.count for one in kept)
        count = min(workers, cutters(total))
        asked = deque[tuple[_Text, int, int]]()
        pieces = self._pieces(kept, asked)
        one_by_one = (cut_piece(piece) for piece in pieces)
        cut = in_processes(cut_piece, pieces, count) if count > 1 else one_by_one
        what = _("cutting the text into words")
        with (
            progress_bar(total, _("characters"), what, delay=1.0) as bar,
            closing(cut),
            self._file.open("xb") as out,
        ):
            for kinds, ids in cut:  # in the order in which they were asked for
                text, part, characters = asked.popleft()
                numbers = self._numbers.learn(kinds, np.array(ids, np.int32))
                out.write(numbers.data)
                text.words[part] += len(numbers)
                bar.update(characters)

    def _pieces(self, kept: Sequence[Kept], asked: deque[tuple[_Text, int, int]]) -> Iterator[str]:
        """Yield all texts piece by piece; note of each its text, its part and its characters."""
        for one in kept:
            whole = one.text(0, one.read.count)
            begin, end = _line_at(whole, one.learned)
            self._texts.append(_Text(one, begin, end))
            for part, lines in enumerate((whole[:begin], whole[begin:end], whole[end:])):
                for piece in whole_lines(lines):
                    asked.append((self._texts[-1], part, len(piece)))
                    yield piece

    def _ids(self, vocab: Vocab, dtype: IdType) -> Ids:
        """Return which id each number becomes; 0 where its word was forgotten."""
        id_of: Ids = np.zeros(self._numbers.given + 1, dtype)
        words = vocab.with_folded[1:]
        id_of[self._numbers.of(words)] = np.arange(1, len(words) + 1)
        return id_of

    def _looked_up(self, id_of: Ids, begin: int, end: int) -> Iterator[Ids]:
        """Yield the ids of words from a first to before a last one of the file."""
        for first in range(begin, end, _PIECE):
            count = min(_PIECE, end - first)
            yield id_of[np.fromfile(self._file, np.int32, count, offset=4 * first)]

    def _encoded(self, text: str, vocab: Vocab, id_of: Ids) -> Ids:
        """Return the ids of the words of a text, as the vocabulary reads them."""
        return id_of[self._numbers.of(vocab.split(text))]


def _line_at(text: str, place: int) -> tuple[int, int]:
    """Return where the line begins and ends in whose middle a place is; twice that, if in none."""
    if place in (0, len(text)) or text[place - 1] == "\n":
        return place, place
    return text.rfind("\n", 0, place) + 1, text.find("\n", place) + 1 or len(text)
