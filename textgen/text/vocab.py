"""The vocabulary: tokens and their ids, for characters and for words.

Shapes: N tokens in a text, V tokens in the vocabulary.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from textgen.language import _
from textgen.text import tokenizer
from textgen.text.characters import count_characters
from textgen.text.words import words

log = logging.getLogger(__name__)

UNKNOWN = "<unk>"
UNKNOWN_ID = 0

TokenKind = Literal["character", "word"]
TokenIds = NDArray[np.int32]

CODE_POINTS = 0x110000
"""That there are."""

_PIECE = 2**20
"""Characters."""


class Vocab:
    """Tokens by falling frequency; id 0 is ``<unk>``, for all that is not known.

    Args:
        counts: how often each token occurs in the text that the vocabulary was built from, in
            the order of the ids, without ``<unk>``.
        kind: whether tokens are characters or words.
        folded: how often each token occurs that was too rare and is left to ``<unk>``.
    """

    def __init__(
        self,
        counts: dict[str, int],
        kind: TokenKind = "character",
        folded: dict[str, int] | None = None,
    ) -> None:
        self.kind: TokenKind = kind
        self.tokens = (UNKNOWN, *counts)
        self.folded = folded or {}
        self.counts = (sum(self.folded.values()), *counts.values())
        self.token_to_idx = {token: id_ for id_, token in enumerate(self.tokens)}
        self._longest = max(map(len, counts), default=0)
        if kind == "character":
            self._id_of_code_point = np.zeros(CODE_POINTS, dtype=np.int32)
            self._id_of_code_point[code_points("".join(counts))] = np.arange(1, len(self))

    @property
    def with_folded(self) -> tuple[str, ...]:
        """The tokens, and behind them those that are left to ``<unk>``."""
        return *self.tokens, *self.folded

    @property
    def unit(self) -> str:
        """What one of its tokens is, for people."""
        return _("character") if self.kind == "character" else _("word")

    @property
    def units(self) -> str:
        """What its tokens are, for people."""
        return _("characters") if self.kind == "character" else _("words")

    @classmethod
    def build(
        cls, text: str, kind: TokenKind = "character", min_count: int = 1, max_vocab: int = 0
    ) -> "Vocab":
        """Build the vocabulary of a text, the ids by falling frequency, then by code point.

        Args:
            text: the whole text.
            kind: cut it into characters, or into words by jieba.
            min_count: a token that occurs fewer times is left to ``<unk>``.
            max_vocab: tokens that are kept at most, the most frequent; 0 keeps all. It is told
                where they are fewer.
        """
        return cls({}, kind).extended(text, min_count, max_vocab)

    def extended(self, text: str, min_count: int = 1, max_vocab: int = 0) -> "Vocab":
        """Return this vocabulary with the tokens of one more text, and how often each stands there.

        The ids are new ones, by falling frequency in all. What is known stays known.

        Args:
            text: the whole text.
            min_count: a new token that occurs fewer times in all is left to ``<unk>``.
            max_vocab: as in ``build``, but for what is known.
        """
        found = count_characters(text) if self.kind == "character" else words(text).counts()
        counts = Counter(dict(zip(self.tokens[1:], self.counts[1:], strict=True)))
        counts.update(self.folded)
        counts.update(found)
        return self.of_counts(counts, self.kind, min_count, max_vocab, known=self.tokens[1:])

    @classmethod
    def of_counts(
        cls,
        counts: Mapping[str, int],
        kind: TokenKind = "character",
        min_count: int = 1,
        max_vocab: int = 0,
        known: Iterable[str] = (),
    ) -> "Vocab":
        """Build the vocabulary of a text in which each token occurs so often; see ``extended``."""
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        frequent = [token for token, count in ordered if count >= min_count]
        kept = {*frequent[: max_vocab or None], *known}
        vocab = cls(
            {token: count for token, count in ordered if token in kept},
            kind,
            {token: count for token, count in ordered if token not in kept},
        )
        if 0 < max_vocab < len(frequent):
            log.info(
                _(
                    "The vocabulary keeps the {kept:,} most frequent of {count:,} {units}: "
                    "--max-vocab changes that"
                ).format(kept=len(kept), count=len(frequent), units=vocab.units)
            )
        return vocab

    def __repr__(self) -> str:
        return f"<Vocab: {len(self) - 1:,} {self.kind}s and {UNKNOWN}, first {self.tokens[1:6]}>"

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self.token_to_idx

    def __getitem__(self, token: str) -> int:
        """Return a token's id; that of ``<unk>``, 0, if it is not known."""
        return self.token_to_idx.get(token, UNKNOWN_ID)

    @property
    def idx_to_token(self) -> tuple[str, ...]:
        """The tokens by their ids, as d2l calls them."""
        return self.tokens

    def encode(self, text: str) -> TokenIds:
        """Return the ids (N,) of a text's tokens, see ``split``; what is not known becomes id 0."""
        if self.kind == "character":
            ids = np.empty(len(text), np.int32)
            for piece in pieces_of(text):
                ids[piece] = self._id_of_code_point[code_points(text[piece])]
            return ids
        cut = words(text)
        pieces = [[self[piece] for piece in self._pieces(word)] for word in cut.kinds]
        ids_of_words = chain.from_iterable(map(pieces.__getitem__, cut.ids.tolist()))
        return np.fromiter(ids_of_words, dtype=np.int32)

    def decode(self, ids: "NDArray[np.integer[Any]] | list[int]") -> str:
        """Return the text of ids (N,); it undoes ``encode`` where every token is known."""
        return "".join(self.tokens[id_] for id_ in ids)

    def split(self, text: str) -> list[str]:
        """Return the tokens of a text, known or not.

        A word that the vocabulary was built without is read as the longest known words and
        characters in it, from its beginning on; what is not known between them is one piece.
        One that was too rare stays ``<unk>``, as the model has learned it.
        """
        if self.kind == "character":
            return list(text)
        return [piece for word in words(text) for piece in self._pieces(word)]

    def in_pieces(self, text: str) -> dict[str, list[str]]:
        """Return the words of a text that are not read as one token, and their pieces."""
        if self.kind == "character":
            return {}
        pieces = {word: self._pieces(word) for word in words(text).kinds}
        return {word: found for word, found in pieces.items() if len(found) > 1}

    def _pieces(self, word: str) -> list[str]:
        if word in self or word in self.folded:
            return [word]
        pieces: list[str] = []
        place = 0
        while place < len(word):
            ends = range(min(len(word), place + self._longest), place, -1)
            end = next((end for end in ends if word[place:end] in self), None)
            if end is None and pieces and pieces[-1] not in self:
                end = place + 1
                pieces[-1] += word[place:end]  # next to each other, they are one unknown piece
            else:
                end = end or place + 1
                pieces.append(word[place:end])
            place = end
        return pieces

    def unknown(self, text: str) -> list[str]:
        """Return the tokens of a text that are not known, each once, in order."""
        distinct: Iterable[str] = text if self.kind == "character" else words(text).kinds
        pieces = (piece for word in distinct for piece in self._pieces(word))
        return list(dict.fromkeys(piece for piece in pieces if piece not in self))

    def to_json(self) -> str:
        """Return readable text that ``from_json`` reads back: each token with its count."""
        counts = dict(zip(self.tokens[1:], self.counts[1:], strict=True))
        values = {"kind": self.kind, "counts": counts, "folded": self.folded}
        return json.dumps(values, ensure_ascii=False, indent=0) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Vocab":
        """Undo ``to_json``."""
        values = json.loads(text)
        return cls(values["counts"], values["kind"], values["folded"])


def first_tokens(text: str, kind: TokenKind, count: int | None) -> str:
    """Return the text of the first so many tokens; all of it when no count is given."""
    if count is None:
        return text
    return text[:count] if kind == "character" else "".join(islice(tokenizer.cut(text), count))


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the code point of each character of a text."""
    # surrogatepass: half a character from a broken terminal is unknown, not an error.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def pieces_of(text: str) -> Iterator[slice]:
    """Yield a text's pieces: what is made of one on the way is small, however long the text."""
    return (slice(first, first + _PIECE) for first in range(0, len(text), _PIECE))
