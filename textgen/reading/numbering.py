"""Texts become a store: their tokens are counted, and get the ids that they keep.

Shapes: V vocabulary.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from textgen.bars import progress_bar
from textgen.config import ReadingConfig, StoreConfig
from textgen.errors import UsageError
from textgen.language import Message, _
from textgen.reading.kept import Kept
from textgen.text.store import About, Ids, IdType, bytes_per_token, write_store
from textgen.text.vocab import Vocab


class Tokens(Protocol):
    """The tokens of texts, counted, whose ids depend on the vocabulary."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each one occurs that can be part of a vocabulary."""

    @property
    def kinds(self) -> int:
        """How many different ones there are."""

    def training(self, vocab: Vocab, dtype: IdType) -> Iterator[Ids]:
        """Yield the ids of what is learned from, piece by piece."""

    def held_out(self, vocab: Vocab, dtype: IdType) -> Iterator[Ids]:
        """Yield those of what is held out."""


def write(
    folder: Path,
    tokens: Tokens,
    kept: Sequence[Kept],
    left_out: Sequence[tuple[Path, Message]],
    config: StoreConfig,
    reading: ReadingConfig,
) -> None:
    """Give the tokens their ids, and write the store.

    Args:
        folder: what becomes the store.
        tokens: those of its texts.
        kept: the texts.
        left_out: what is not in it, and why.
        config: how it is built.
        reading: how the texts were read.

    Raises:
        UsageError: the settings leave no token of the texts.
        TextgenError: the disk is full, or broken.
    """
    vocab = Vocab.of_counts(
        tokens.counts, config.tokens, min_count=config.min_count, max_vocab=config.max_vocab
    )
    if len(vocab) == 1:
        raise UsageError(
            "--min-count {min_count} leaves no token of the text: lower it",
            min_count=config.min_count,
        )
    about = About(
        training_characters=sum(one.learned for one in kept),
        held_out_characters=sum(one.held_out for one in kept),
        texts=len(kept),
        kinds=tokens.kinds,
        bytes_per_token=bytes_per_token(len(vocab.with_folded)),
        settings=asdict(config),
        reading=asdict(reading),
    )
    total = sum(tokens.counts.values())
    with progress_bar(total, vocab.units, _("writing"), delay=1.0) as bar:

        def watched(half: Iterator[Ids]) -> Iterator[Ids]:
            for ids in half:
                yield ids
                bar.update(len(ids))

        training, held_out = (
            watched(half(vocab, about.dtype)) for half in (tokens.training, tokens.held_out)
        )
        write_store(folder, about, vocab, training, held_out, _provenance(kept, left_out))


def _provenance(
    kept: Sequence[Kept], left_out: Sequence[tuple[Path, Message]]
) -> Iterator[dict[str, Any]]:
    """Yield where each text came from, and what was left out and why."""
    for one in kept:
        yield {
            "path": str(one.read.path),
            "encoding": one.read.encoding,
            "characters": one.read.count,
            "held_out": one.held_out,
            "sha256": one.read.sha256,
        }
    for path, why in left_out:
        yield {"path": str(path), "left_out": why.english()}
