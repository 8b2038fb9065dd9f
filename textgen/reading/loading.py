"""From files to batches and their vocabulary in one call, for who writes the loop by hand."""

from pathlib import Path
from typing import Literal

from textgen.reading.corpus import read_corpus
from textgen.text.batches import POLICIES, TextBatches
from textgen.text.vocab import TokenKind, Vocab, first_tokens


def load_batches(
    path: Path | str,
    batch_size: int,
    num_steps: int,
    order: Literal["sequential", "random"] = "sequential",
    max_tokens: int | None = None,
    tokens: TokenKind = "character",
    seed: int = 0,
) -> tuple[TextBatches, Vocab]:
    """Return the mini-batches of a novel, and its vocabulary.

    As ``load_data_time_machine`` in Dive into Deep Learning (zh.d2l.ai), chapter 8.3. Every
    ``for x, y in batches`` goes through another epoch; x and y are ids (B, T).

    Args:
        path: a text file, or a folder of them.
        batch_size: B.
        num_steps: T.
        order: rows that go on from batch to batch, or shuffled pieces.
        max_tokens: only so many tokens from the beginning of the text; all when not given.
        tokens: whether they are characters or words.
        seed: what start offsets and shuffling follow from.

    Raises:
        TextgenError: the file cannot be read, or is too short for one batch.
    """
    text = first_tokens(read_corpus([Path(path)]).text, tokens, max_tokens)
    vocab = Vocab.build(text, tokens)
    return POLICIES[order](vocab.encode(text), batch_size, num_steps, seed), vocab
