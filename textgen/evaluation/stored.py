"""The held-out part of a store as passages to judge: a sample of one, or one after the other."""

import math
from collections.abc import Iterator

from textgen.evaluation.perplexity import Passage
from textgen.text.store import Store
from textgen.text.tokens import Tokens

PIECE = 200_000
"""Tokens that are judged as one text where all of a store's held-out part is."""


def held_out_passage(store: Store) -> Passage | None:
    """Return the held-out part, of which only what is judged is looked up; none if there is none.

    What comes before it is the beginning of a line.
    """
    if not len(store.held_out):
        return None
    return _passage(store, store.held_out)


def held_out_pieces(store: Store) -> Iterator[Passage]:
    """Yield all of the held-out part in order, each piece a text of its own, from the disk."""
    for first in range(0, len(store.held_out), PIECE):
        yield _passage(store, store.held_out[first : first + PIECE])


def _passage(store: Store, ids: Tokens) -> Passage:
    vocab, about = store.vocab, store.about
    # All that is not known was too rare: the vocabulary is that of both parts.
    unknown = max(1, about.kinds - len(vocab) + 1)
    # How many characters the words of a piece have is not known where some were forgotten.
    characters = about.held_out_characters * len(ids) / about.held_out_tokens
    return Passage(ids, vocab.encode("\n"), characters, math.log2(unknown))
