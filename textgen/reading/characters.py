"""Texts in characters on their way into a store: a code point is a number before it has an id.

Shapes: n characters of a text, k different ones in a part, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from textgen.bars import progress_bar
from textgen.language import _
from textgen.reading.kept import Kept
from textgen.text.store import Ids, IdType
from textgen.text.vocab import CODE_POINTS, Vocab


class Characters:
    """The characters of texts, counted.

    Args:
        kept: the texts.
    """

    def __init__(self, kept: Sequence[Kept]) -> None:
        self._kept = kept
        self.counts = self._counted()
        """How often each one occurs."""
        self.kinds = len(self.counts)
        """How many different ones there are."""

    def training(self, vocab: Vocab, dtype: IdType) -> Iterator[Ids]:
        """Yield the ids of what is learned from, text by text and piece by piece."""
        return self._ids(Kept.training, vocab, dtype)

    def held_out(self, vocab: Vocab, dtype: IdType) -> Iterator[Ids]:
        """Yield those of what is held out."""
        return self._ids(Kept.rest, vocab, dtype)

    def _ids(
        self, half: Callable[[Kept], Iterator[Ids]], vocab: Vocab, dtype: IdType
    ) -> Iterator[Ids]:
        id_of: Ids = np.zeros(CODE_POINTS, dtype)
        tokens = vocab.with_folded[1:]
        id_of[list(map(ord, tokens))] = np.arange(1, len(tokens) + 1)
        for one in self._kept:
            table = id_of[one.part.code_points]
            for piece in half(one):
                yield table[piece]

    def _counted(self) -> dict[str, int]:
        counts = np.zeros(CODE_POINTS, np.int64)
        total = sum(one.read.count for one in self._kept)
        with progress_bar(total, _("characters"), _("counting"), delay=1.0) as bar:
            for one in self._kept:
                known = one.part.code_points
                for half in (one.training(), one.rest()):
                    for piece in half:
                        counts[known] += np.bincount(piece, minlength=len(known))
                        bar.update(len(piece))
        found = np.flatnonzero(counts)
        named = zip(map(chr, found.tolist()), counts[found].tolist(), strict=True)
        return dict(named)
