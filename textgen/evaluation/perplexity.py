"""How well a model predicts a text that it was not trained on.

Every character of the text is judged, in order, the state carried from the first to the last; or
an even sample of them (``sample``).
Bits are per character also where tokens are words. A token that the vocabulary does not hold is
predicted as ``<unk>``, and costs log2 of the number of tokens that ``<unk>`` stands for besides:
so leaving tokens out of the vocabulary never improves the figure. Of a text of items each begins
with a fresh state, and its end is judged as well.

Shapes: M tokens to judge, R rows judged side by side, L tokens judged of each, n tokens judged in
all, C tokens of context, V vocabulary.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from textgen.errors import TextgenError
from textgen.evaluation.items import pieces
from textgen.evaluation.sample import ROWS, Sample
from textgen.model.language_model import LanguageModel
from textgen.model.state import detach
from textgen.text.tokens import Tokens, looked_up
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

    ids: Tokens
    """Its tokens, (M,)."""

    context: TokenIds
    """The tokens before it, which warm the state up, (C,), at least one."""

    characters: float
    """How many it has; of a piece of a store in words, how many it has on average."""

    unknown_cost: float = 0.0
    """The bits that a token which is not known costs on top of ``<unk>``."""

    end: int | None = None
    """The id of what closes an item, in a text of items. Before each, nothing was read."""

    @property
    def count(self) -> int:
        """M."""
        return len(self.ids)

    @classmethod
    def of(cls, vocab: Vocab, text: str, before: str = "", end: str | None = None) -> "Passage":
        """Return a text as a vocabulary reads it.

        Args:
            vocab: the vocabulary.
            text: what is judged, every character.
            before: the text before it, of which the end is the context; when empty, a line's
                beginning.
            end: what closes an item, in a text of items; then nothing counts that stands before it.

        Raises:
            TextgenError: the text is empty.
        """
        if not text:
            raise TextgenError("the text to judge is empty: give one with characters in it")
        ids, context = vocab.encode(text), vocab.encode(end or before[-CONTEXT:] or "\n")
        unknown = ids == UNKNOWN_ID
        kinds = len({*vocab.folded, *vocab.unknown(text)}) if unknown.any() else 1
        closing = None if end is None else vocab[end]
        return cls(ids, context, len(text), math.log2(kinds), closing)

    def unknown_bits(self, ids: TokenIds) -> NDArray[np.float64]:
        """Return what each of some tokens costs on top of ``<unk>``: 0 for known ones."""
        return np.where(ids == UNKNOWN_ID, self.unknown_cost, 0.0)

    def figures(self, bits: NDArray[np.float64]) -> Evaluation:
        """Return the figures of the text, of which the judged tokens cost ``bits`` (n,)."""
        return figures_of(bits, self.characters * len(bits) / len(self.ids))


Watch = Callable[[int], object]
"""Is told, after every piece, how many tokens were judged; what it raises ends the judging."""


def evaluate_text(
    model: LanguageModel,
    passage: Passage,
    sample: Sample | None = None,
    watch: Watch | None = None,
) -> Evaluation:
    """Judge a text.

    Args:
        model: the language model, on any device.
        passage: the text.
        sample: what of it is judged, and how it is read; when not given, all, strictly in order.
        watch: is told how far it has come.
    """
    return passage.figures(token_surprisals(model, passage, sample, watch))


def figures_of(bits: NDArray[np.float64], characters: float) -> Evaluation:
    """Return the figures of a text of so many characters, whose tokens cost ``bits`` (M,)."""
    perplexity = 2 ** min(float(bits.mean()), 1000.0)  # a float ends at 2^1024
    return Evaluation(perplexity, float(bits.sum()) / characters, len(bits))


def together(texts: Sequence[Evaluation]) -> Evaluation:
    """Return the figures of several texts, with as many characters a token, as those of one."""
    tokens = sum(one.tokens for one in texts)
    bits = sum(one.bits_per_character * one.tokens for one in texts) / tokens
    bits_per_token = sum(math.log2(one.perplexity) * one.tokens for one in texts) / tokens
    return Evaluation(2 ** min(bits_per_token, 1000.0), bits, tokens)


@torch.inference_mode()
def token_surprisals(
    model: LanguageModel,
    passage: Passage,
    sample: Sample | None = None,
    watch: Watch | None = None,
) -> NDArray[np.float64]:
    """Return the bits (n,) that each token of the sample's rows costs the model.

    The arguments are ``evaluate_text``'s; the model is left in its mode for evaluating.
    """
    sample = sample or Sample.of(len(passage.ids))
    if passage.end is not None:
        return _surprisals_in_items(model, passage, sample, watch)
    rows_of_tokens = _rows_of_tokens(model, passage, sample)
    xs, ys = rows_of_tokens[:, :-1], rows_of_tokens[:, 1:]
    model.require_one_direction()
    model.eval()
    state = None
    warm_up = len(passage.context) - 1
    # Made once: small results kept between the large logits would leave holes in the memory. And
    # where the logits are, so that nothing waits for them before all are there.
    nats = torch.empty(xs.shape, device=xs.device)
    for chunk in _columns(sample, warm_up, xs.shape[1]):
        logits, state = model(xs[:, chunk], state)
        nats[:, chunk] = _cross_entropies(logits, ys[:, chunk])
        if watch is not None:
            watch(sample.rows * max(0, chunk.stop - max(chunk.start, warm_up)))
    count = len(sample.places)
    bits, ids = (one[:, warm_up:].flatten()[:count] for one in (nats, ys.cpu()))
    return to_bits(bits) + passage.unknown_bits(ids.numpy())


def read(
    model: LanguageModel, passage: Passage, sample: Sample | None = None
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Read a text as ``token_surprisals`` does, a piece at a time.

    Args:
        model: the language model, in its mode for evaluating.
        passage: the text, M tokens.
        sample: what of it is read.

    Yields:
        The places (n,) in the text of which tokens come next, those of a row in order, and what
        the output layer reads there, (n, E).
    """
    model.require_one_direction()
    sample = sample or Sample.of(len(passage.ids))
    if passage.end is not None:
        yield from _read_items(model, passage, passage.end, sample)
        return
    rows_of_tokens = _rows_of_tokens(model, passage, sample)
    begin = torch.arange(sample.rows)[:, None] * sample.step - len(passage.context) + 1
    state = None
    warm_up = len(passage.context) - 1
    for chunk in _columns(sample, warm_up, rows_of_tokens.shape[1] - 1):
        features, state = model.features(rows_of_tokens[:, chunk], state)
        column = torch.arange(chunk.start, chunk.stop)
        places = begin + column
        judged = (column >= warm_up) & (places < len(passage.ids))
        yield places[judged].numpy(), features[judged.to(features.device)]


def _read_items(
    model: LanguageModel, passage: Passage, end: int, sample: Sample
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Read a text of items as ``read`` does, each with a fresh state."""
    state = None
    device = model.device
    for tokens, places, goes_on in pieces(passage.ids[:], end, sample, _CHUNK // ROWS):
        features, state = model.features(tokens.to(device), state if goes_on else None)
        judged = places >= 0
        yield places[judged].numpy(), features[judged.to(device)]


def _surprisals_in_items(
    model: LanguageModel, passage: Passage, sample: Sample, watch: Watch | None
) -> NDArray[np.float64]:
    """Return the bits of a text of items as ``token_surprisals`` does."""
    model.eval()
    bits = np.zeros(passage.count)
    for places, features in read(model, passage, sample):
        targets = torch.from_numpy(passage.ids[places]).to(features.device)
        nats = _cross_entropies(model.logits(features)[None], targets[None])
        bits[places] = to_bits(nats[0])
        if watch is not None:
            watch(len(places))
    places = sample.places
    return bits[places] + passage.unknown_bits(passage.ids[places])


def read_in_order(
    model: LanguageModel, passage: Passage, columns: int = _CHUNK
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Judge tokens strictly in order, a piece at a time, with the weights as they then are.

    The gradient stops where a piece begins. An item begins with a piece, and a fresh state.

    Args:
        model: the language model.
        passage: the text.
        columns: T, the tokens of a piece; the last one may be shorter.

    Yields:
        Of every token of a piece what the output layer read, (T, E), its logits, (T, V), and what
        it costs in nats, (T,), ``<unk>`` as one token.
    """
    model.require_one_direction()
    ids, context = passage.ids[:], passage.context
    tokens = torch.from_numpy(np.concatenate([context, ids])).to(model.device)
    warm_up, xs, ys = tokens[: len(context) - 1], tokens[len(context) - 1 : -1], tokens[-len(ids) :]
    state = None
    if len(warm_up) > 0:
        with torch.no_grad():
            _, state = model.features(warm_up[None])
    for first, last, fresh in _pieces_in_order(passage, columns):
        x, y = xs[None, first:last], ys[None, first:last]
        features, state = model.features(x, None if fresh else detach(state))
        logits = model.logits(features)
        yield features[0], logits[0], _cross_entropies(logits, y)[0]


def _pieces_in_order(passage: Passage, columns: int) -> Iterator[tuple[int, int, bool]]:
    """Yield where pieces of so many tokens begin and end, and whether an item begins there."""
    borders = [0, passage.count]
    if passage.end is not None:
        borders[1:1] = (np.flatnonzero(passage.ids[:-1] == passage.end) + 1).tolist()
    for begin, end in pairwise(borders):
        for first in range(begin, end, columns):
            yield first, min(first + columns, end), passage.end is not None and first == begin


def to_bits(nats: Tensor) -> NDArray[np.float64]:
    """Return nats (M,) as bits (M,)."""
    bits: NDArray[np.float64] = nats.cpu().double().numpy() / math.log(2)
    return bits


def _columns(sample: Sample, warm_up: int, count: int) -> Iterator[slice]:
    """Yield so many columns a chunk at a time; with the first that is judged, a chunk begins."""
    columns = max(1, _CHUNK // sample.rows)
    for begin, end in ((0, warm_up), (warm_up, count)):
        for first in range(begin, end, columns):
            yield slice(first, min(first + columns, end))


def _rows_of_tokens(model: LanguageModel, passage: Passage, sample: Sample) -> Tensor:
    """Return what the rows read: the tokens that they judge, and C before them, (R, C + L)."""
    begins = np.arange(sample.rows)[:, None] * sample.step
    places = begins + np.arange(-len(passage.context), sample.length)
    tokens = torch.from_numpy(looked_up(passage.ids, passage.context, places))
    return tokens.to(model.device)


def _cross_entropies(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the nats (B, T) of targets (B, T) under logits (B, T, V)."""
    return functional.cross_entropy(
        logits.flatten(0, 1).float(), targets.flatten().long(), reduction="none"
    ).view(targets.shape)
