"""How well a model predicts a text that it was not trained on.

Every character of the text is judged, in order, the state carried from the first to the last.
Bits are per character also where tokens are words. A token that the vocabulary does not hold is
predicted as ``<unk>``, and costs log2 of the number of tokens that ``<unk>`` stands for besides:
so leaving tokens out of the vocabulary never improves the figure.

Shapes: M tokens to judge, R rows judged side by side, C tokens of context, V vocabulary.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from textgen.errors import TextgenError
from textgen.model.language_model import LanguageModel
from textgen.model.state import detach
from textgen.text.vocab import UNKNOWN_ID, TokenIds, Vocab

CONTEXT = 256
"""Tokens read before the first one that is judged, to warm the state up."""

_CHUNK = 1024
"""Tokens judged at once: their logits, 4 V bytes each, stay small."""


@dataclass(frozen=True)
class Evaluation:
    """A text's figures."""

    perplexity: float
    """exp of the mean cross-entropy in nats, per token."""

    bits_per_character: float
    tokens: int


@dataclass(frozen=True)
class Passage:
    """A text to judge as a vocabulary reads it: encoded once, however often it is judged."""

    text: str

    ids: TokenIds
    """Its tokens, (M,)."""

    context: TokenIds
    """The tokens before it, which warm the state up, (C,), at least one."""

    unknown_bits: NDArray[np.float64]
    """What each token costs on top of ``<unk>``, (M,): 0 for known ones."""

    @classmethod
    def of(cls, vocab: Vocab, text: str, before: str = "") -> "Passage":
        """Return a text as a vocabulary reads it.

        Args:
            vocab: the vocabulary.
            text: what is judged, every character.
            before: the text before it, of which the end is the context; when empty, a line's
                beginning.

        Raises:
            TextgenError: the text is empty.
        """
        if not text:
            raise TextgenError("the text to judge is empty: give one with characters in it")
        ids, context = vocab.encode(text), vocab.encode(before[-CONTEXT:] or "\n")
        unknown = ids == UNKNOWN_ID
        kinds = len({*vocab.folded, *vocab.unknown(text)}) if unknown.any() else 1
        return cls(text, ids, context, np.where(unknown, math.log2(kinds), 0.0))

    def figures(self, bits: NDArray[np.float64]) -> Evaluation:
        """Return the figures of the text, whose tokens cost ``bits`` (M,)."""
        return figures_of(bits, len(self.text))


def evaluate_text(model: LanguageModel, passage: Passage, rows: int = 1) -> Evaluation:
    """Judge a text.

    Args:
        model: the language model, on any device.
        passage: the text.
        rows: 1 reads strictly in order; more cut the text into rows that are read side by side,
            each warmed up over the text before it: much faster, and nearly the same figure.
    """
    return passage.figures(token_surprisals(model, passage, rows))


def figures_of(bits: NDArray[np.float64], characters: float) -> Evaluation:
    """Return the figures of a text of so many characters, whose tokens cost ``bits`` (M,)."""
    perplexity = 2 ** min(float(bits.mean()), 1000.0)  # a float ends at 2^1024
    return Evaluation(perplexity, float(bits.sum()) / characters, len(bits))


@torch.inference_mode()
def token_surprisals(model: LanguageModel, passage: Passage, rows: int = 1) -> NDArray[np.float64]:
    """Return the bits (M,) that each token costs the model.

    Args:
        model: the language model; it is left in its mode for evaluating.
        passage: the text, M tokens.
        rows: R; every row is warmed up over the C - 1 tokens before its first context token.
    """
    ids, context = passage.ids, passage.context
    _, rows_of_tokens = _rows_of_tokens(model, passage, rows)
    xs, ys = rows_of_tokens[:, :-1], rows_of_tokens[:, 1:]
    model.require_one_direction()
    model.eval()
    state = None
    columns = max(1, _CHUNK // rows)
    # Made once: small results kept between the large logits would leave holes in the memory.
    nats = torch.empty(xs.shape)
    for first in range(0, xs.shape[1], columns):
        chunk = slice(first, first + columns)
        logits, state = model(xs[:, chunk], state)
        nats[:, chunk] = _cross_entropies(logits, ys[:, chunk])
    return to_bits(nats[:, len(context) - 1 :].flatten()[: len(ids)]) + passage.unknown_bits


def read(
    model: LanguageModel, passage: Passage, rows: int = 1
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Read a text as ``token_surprisals`` does, a piece at a time.

    Args:
        model: the language model, in its mode for evaluating.
        passage: the text, M tokens.
        rows: R.

    Yields:
        The places (n,) in the text of which tokens come next, those of a row in order, and what
        the output layer reads there, (n, E).
    """
    model.require_one_direction()
    length, rows_of_tokens = _rows_of_tokens(model, passage, rows)
    begin = torch.arange(rows)[:, None] * length - len(passage.context) + 1
    state = None
    columns = max(1, _CHUNK // rows)
    for first in range(0, rows_of_tokens.shape[1] - 1, columns):
        tokens = rows_of_tokens[:, first : min(first + columns, rows_of_tokens.shape[1] - 1)]
        features, state = model.features(tokens, state)
        column = torch.arange(first, first + tokens.shape[1])
        places = begin + column
        judged = (column >= len(passage.context) - 1) & (places < len(passage.ids))
        yield places[judged].numpy(), features[judged.to(features.device)]


def read_in_order(
    model: LanguageModel, passage: Passage, columns: int = _CHUNK
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Judge tokens strictly in order, a piece at a time, with the weights as they then are.

    The gradient stops where a piece begins.

    Args:
        model: the language model.
        passage: the text.
        columns: T, the tokens of a piece; the last one may be shorter.

    Yields:
        Of every token of a piece what the output layer read, (T, E), its logits, (T, V), and what
        it costs in nats, (T,), ``<unk>`` as one token.
    """
    model.require_one_direction()
    ids, context = passage.ids, passage.context
    tokens = torch.from_numpy(np.concatenate([context, ids])).to(model.output.weight.device)
    warm_up, xs, ys = tokens[: len(context) - 1], tokens[len(context) - 1 : -1], tokens[-len(ids) :]
    state = None
    if len(warm_up) > 0:
        with torch.no_grad():
            _, state = model.features(warm_up[None])
    for x, y in zip(xs[None].split(columns, dim=1), ys[None].split(columns, dim=1), strict=True):
        features, state = model.features(x, detach(state))
        logits = model.output(features)
        yield features[0], logits[0], _cross_entropies(logits, y)[0]


def to_bits(nats: Tensor) -> NDArray[np.float64]:
    """Return nats (M,) as bits (M,)."""
    bits: NDArray[np.float64] = nats.double().cpu().numpy() / math.log(2)
    return bits


def _rows_of_tokens(model: LanguageModel, passage: Passage, rows: int) -> tuple[int, Tensor]:
    """Return how many tokens a row judges, and all that it reads: they, and C before them."""
    ids, context = passage.ids, passage.context
    length = -(-len(ids) // rows)
    padding = np.zeros(rows * length - len(ids), dtype=np.int32)
    whole = torch.from_numpy(np.concatenate([context, ids, padding]))
    tokens = whole.unfold(0, len(context) + length, length)
    return length, tokens.to(model.output.weight.device)


def _cross_entropies(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the nats (B, T) of targets (B, T) under logits (B, T, V)."""
    return functional.cross_entropy(
        logits.flatten(0, 1).float(), targets.flatten().long(), reduction="none"
    ).view(targets.shape)
