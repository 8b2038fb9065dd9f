"""Texts under provisional ids become a store: characters are counted, and get the ids they keep.

Shapes: n characters of a text, k different ones in a part, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.bars import progress_bar
from textgen.config import ReadingConfig, StoreConfig
from textgen.errors import UsageError
from textgen.language import Message, _
from textgen.reading.provisional import Part, ReadText
from textgen.text.store import About, Ids, bytes_per_token, write_store
from textgen.text.vocab import CODE_POINTS, Vocab

_PIECE = 2**20
"""Ids that are in memory at a time."""

Half = Callable[["Kept"], Iterator[Ids]]
"""What is learned from of a text, or what is held out."""


@dataclass(frozen=True)
class Kept:
    """A text that is part of the store."""

    text: ReadText
    part: Part
    held_out: int
    """Characters at its end that are held out."""

    @property
    def learned(self) -> int:
        """Characters to learn from."""
        return self.text.count - self.held_out

    def training(self) -> Iterator[Ids]:
        """Yield the provisional ids of what is learned from, piece by piece."""
        return self._ids(0, self.learned)

    def rest(self) -> Iterator[Ids]:
        """Yield those of what is held out."""
        return self._ids(self.learned, self.text.count)

    def _ids(self, begin: int, end: int) -> Iterator[Ids]:
        for first in range(begin, end, _PIECE):
            yield self.text.ids(first, min(first + _PIECE, end))


def write(
    folder: Path,
    kept: Sequence[Kept],
    left_out: Sequence[tuple[Path, Message]],
    config: StoreConfig,
    reading: ReadingConfig,
) -> None:
    """Give the characters their ids, and write the store.

    Args:
        folder: what becomes the store.
        kept: its texts.
        left_out: what is not in it, and why.
        config: how it is built.
        reading: how the texts were read.

    Raises:
        UsageError: the settings leave nothing of what is learned from.
        TextgenError: the disk is full, or broken.
    """
    total = sum(one.text.count for one in kept)
    with progress_bar(2 * total, _("characters"), _("writing"), delay=1.0) as bar:
        learned, rest = (
            _occurrences(kept, half, bar.update) for half in (Kept.training, Kept.rest)
        )
        vocab = _vocab_of(learned + rest, config)
        id_of = np.zeros(CODE_POINTS, np.int32)
        id_of[list(map(ord, vocab.tokens[1:]))] = np.arange(1, len(vocab))
        occurring = np.bincount(id_of, learned, minlength=len(vocab)).astype(np.int64)
        if not occurring[1:].any():
            raise UsageError(
                "--min-count {min_count} leaves no token of the text: lower it",
                min_count=config.min_count,
            )
        size = bytes_per_token(len(vocab))
        about = About(
            training_tokens=sum(one.learned for one in kept),
            held_out_tokens=sum(one.held_out for one in kept),
            texts=len(kept),
            bytes_per_token=size,
            settings=asdict(config),
            reading=asdict(reading),
            occurring=occurring.tolist(),
        )
        stored_as: Ids = id_of.astype(about.dtype)
        training, held_out = (
            _numbered(kept, half, stored_as, bar.update) for half in (Kept.training, Kept.rest)
        )
        write_store(folder, about, vocab, training, held_out, _provenance(kept, left_out))


def _numbered(
    kept: Sequence[Kept], half: Half, id_of: Ids, watch: Callable[[int], object]
) -> Iterator[Ids]:
    """Yield the ids of a half of each text, from those of the code points."""
    for one in kept:
        table = id_of[one.part.code_points]
        for piece in half(one):
            yield table[piece]
            watch(len(piece))


def _occurrences(
    kept: Sequence[Kept], half: Half, watch: Callable[[int], object]
) -> NDArray[np.int64]:
    """Return how often each code point stands in a half of each text."""
    counts = np.zeros(CODE_POINTS, np.int64)
    for one in kept:
        for piece in half(one):
            counts[one.part.code_points] += np.bincount(piece, minlength=len(one.part.code_points))
            watch(len(piece))
    return counts


def _vocab_of(counts: NDArray[np.int64], config: StoreConfig) -> Vocab:
    """Return the vocabulary of a text in which the code points occur so often."""
    found = np.flatnonzero(counts)
    named = zip(map(chr, found.tolist()), counts[found].tolist(), strict=True)
    return Vocab.of_counts(dict(named), min_count=config.min_count, max_vocab=config.max_vocab)


def _provenance(
    kept: Sequence[Kept], left_out: Sequence[tuple[Path, Message]]
) -> Iterator[dict[str, Any]]:
    """Yield where each text came from, and what was left out and why."""
    for one in kept:
        yield {
            "path": str(one.text.path),
            "encoding": one.text.encoding,
            "characters": one.text.count,
            "held_out": one.held_out,
            "sha256": one.text.sha256,
        }
    for path, why in left_out:
        yield {"path": str(path), "left_out": why.english()}
