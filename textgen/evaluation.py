"""How well a model predicts a text that it was not trained on, and the trigram beside it.

Every character of the text is judged, in order, the state carried from the first to the last.
Bits are per character also where tokens are words. A token that the vocabulary does not hold is
predicted as ``<unk>``, and costs log2 of the number of tokens that ``<unk>`` stands for besides:
so leaving tokens out of the vocabulary never improves the figure.

Shapes: M tokens to judge, R rows judged side by side, C tokens of context, V vocabulary.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from textgen.errors import TextgenError
from textgen.models import LanguageModel
from textgen.ngram import trigram_surprisals
from textgen.vocab import UNKNOWN_ID, TokenIds, Vocab

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


def evaluate_text(
    model: LanguageModel, vocab: Vocab, text: str, before: str = "", rows: int = 1
) -> Evaluation:
    """Judge a text.

    Args:
        model: the language model, on any device.
        vocab: its vocabulary.
        text: what is judged, every character.
        before: the text before it, to warm the state up; when empty, a line's beginning.
        rows: 1 reads strictly in order; more cut the text into rows that are read side by side,
            each warmed up over the text before it: much faster, and nearly the same figure.

    Raises:
        TextgenError: the text is empty.
    """
    if not text:
        raise TextgenError("the text to judge is empty: give one with characters in it")
    ids = vocab.encode(text)
    context = vocab.encode(before[-CONTEXT:] or "\n")
    bits = token_surprisals(model, ids, context, rows) + _unknown_bits(vocab, text, ids)
    return _figures(bits, len(text))


def evaluate_trigram(training_text: str, text: str) -> Evaluation:
    """Judge a text by a trigram of characters learned from another; for ``evaluate_text``'s side.

    The vocabulary is that of the training text and of ``text``, which is taken to follow it.
    """
    vocab = Vocab.build(training_text + text)
    surprisals = trigram_surprisals(vocab.encode(training_text), vocab.encode(text), len(vocab))
    return _figures(surprisals, len(text))


def _figures(bits: NDArray[np.float64], characters: int) -> Evaluation:
    perplexity = 2 ** min(float(bits.mean()), 1000.0)  # a float ends at 2^1024
    return Evaluation(perplexity, float(bits.sum()) / characters, len(bits))


def _unknown_bits(vocab: Vocab, text: str, ids: TokenIds) -> NDArray[np.float64]:
    unknown = ids == UNKNOWN_ID
    kinds = len({*vocab.folded, *vocab.unknown(text)}) if unknown.any() else 1
    return np.where(unknown, math.log2(kinds), 0.0)


@torch.inference_mode()
def token_surprisals(
    model: LanguageModel, ids: TokenIds, context: TokenIds, rows: int = 1
) -> NDArray[np.float64]:
    """Return the bits (M,) that each token costs the model.

    Args:
        model: the language model; it is left in its mode for evaluating.
        ids: the tokens to judge, (M,).
        context: the tokens before them, (C,), at least one.
        rows: R; every row is warmed up over the C - 1 tokens before its first context token.
    """
    length = -(-len(ids) // rows)
    padding = np.zeros(rows * length - len(ids), dtype=np.int32)
    whole = torch.from_numpy(np.concatenate([context, ids, padding]))
    # Row r judges `length` tokens, and reads the C tokens before them: (R, C + length).
    rows_of_tokens = whole.unfold(0, len(context) + length, length).to(model.output.weight.device)
    xs, ys = rows_of_tokens[:, :-1], rows_of_tokens[:, 1:]
    model.eval()
    state = None
    columns = max(1, _CHUNK // rows)
    # Made once: small results kept between the large logits would leave holes in the memory.
    nats = torch.empty(xs.shape)
    for first in range(0, xs.shape[1], columns):
        chunk = slice(first, first + columns)
        logits, state = model(xs[:, chunk], state)
        nats[:, chunk] = _cross_entropies(logits, ys[:, chunk])
    judged = nats[:, len(context) - 1 :].flatten()[: len(ids)]
    surprisals: NDArray[np.float64] = judged.double().numpy() / math.log(2)
    return surprisals


@dataclass(frozen=True)
class Predictions:
    """What a model expected at every token of a text."""

    bits: NDArray[np.float64]
    """What each token costs, (M,)."""

    ids: NDArray[np.int64]
    """The tokens held likeliest, the likeliest first, (M, K)."""

    probabilities: NDArray[np.float32]
    """Theirs, (M, K)."""


@torch.inference_mode()
def predict_text(
    model: LanguageModel, vocab: Vocab, text: str, before: str = "", likeliest: int = 5
) -> Predictions:
    """Return what the model expects at every token of a text, as ``evaluate_text`` judges it.

    Args:
        model: the language model, on any device; it is left in its mode for evaluating.
        vocab: its vocabulary.
        text: the text, M tokens, at least one.
        before: the text before it; when empty, a line's beginning.
        likeliest: K, how many tokens are returned for each place; at most V.
    """
    ids = vocab.encode(text)
    context = vocab.encode(before[-CONTEXT:] or "\n")
    tokens = torch.from_numpy(np.concatenate([context, ids])).to(model.output.weight.device)
    model.eval()
    nats, best, chances = [], [], []
    _, state = model.features(tokens[None, : len(context) - 1]) if len(context) > 1 else (0, None)
    for xs, ys in zip(
        tokens[None, len(context) - 1 : -1].split(_CHUNK, dim=1),
        tokens[None, len(context) :].split(_CHUNK, dim=1),
        strict=True,
    ):
        logits, state = model(xs, state)
        nats.append(_cross_entropies(logits, ys)[0].cpu())
        top = logits[0].float().softmax(dim=1).topk(min(likeliest, len(vocab)), dim=1)
        best.append(top.indices.cpu())
        chances.append(top.values.cpu())
    bits = torch.cat(nats).double().numpy() / math.log(2) + _unknown_bits(vocab, text, ids)
    return Predictions(bits, torch.cat(best).numpy(), torch.cat(chances).numpy())


def _cross_entropies(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the nats (B, T) of targets (B, T) under logits (B, T, V)."""
    return functional.cross_entropy(
        logits.flatten(0, 1).float(), targets.flatten().long(), reduction="none"
    ).view(targets.shape)
