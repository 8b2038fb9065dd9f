"""Writing on from a beginning, token by token, one text or many at once.

Shapes: B texts, T tokens, V vocabulary, L layers, H hidden size, R recent tokens.

A seed gives the same text on every run and in a batch of any size. Two things see to that. Every
text has random numbers of its own, which follow from the seed and from the text's number. And the
model computes in float64: a matrix product rounds differently for another batch size, number of
threads or device, in float32 by about 1e-5 of a logit, which once in some ten thousand tokens
gives another character and from there on another text; in float64 by about 1e-14.
"""

import copy
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from textgen.config import MAX_REPETITION_WINDOW, GenerationConfig
from textgen.counts.product import Counts
from textgen.counts.reading import Reading
from textgen.errors import TextgenError, UsageError
from textgen.model.language_model import LanguageModel
from textgen.model.single_step import single_step
from textgen.model.state import State
from textgen.runs.trained import Trained, as_trained
from textgen.text.vocab import UNKNOWN_ID, TokenIds, Vocab
from textgen.writing.endings import Ending
from textgen.writing.sampling import draw, excluded_tokens, weights

_CHUNK = 1024
"""Tokens of a prefix that are read at once: a prefix of any length needs no more memory."""

_EXACT = 2048
"""Tokens at a prefix's end that are read in float64; what stands before is read four times as
fast in float32. By then the LSTM has forgotten its rounding: after 12,000 characters of 三国演义
the logits are the same to 1e-14."""

_ROWS = 64
"""Texts written side by side; more of them are written one batch after the other."""


def new_seed() -> int:
    """Return a seed for who gave none; it is told, so that the text can be had again."""
    return secrets.randbelow(2**31)


@dataclass(frozen=True)
class Context:
    """What B texts have come to, as far as the model is concerned: all that going on needs."""

    logits: Tensor
    """Of each next token, (B, V), on the processor; of excluded ones minus infinity. With counts,
    they are log probabilities."""

    state: State
    """After the last token, each tensor (L, B, H)."""

    recent: Tensor
    """The ids of the last tokens, the newest last, (B, R), on the processor."""

    given: Reading | None = None
    """What a person gave of the text, which counts as read, with counts."""

    def rows(self, rows: list[int]) -> "Context":
        """Return the context of some of the texts, or of one text many times."""
        state = tuple(part[:, rows] for part in self.state)
        return Context(self.logits[rows], state, self.recent[rows], self.given)


class Decoder:
    """A model made ready to write: a copy of it in float64, and what must not come out.

    Args:
        model: the language model, on any device; it stays as it is.
        vocab: its vocabulary.
        counts: what the model knows beside the network, if it does.

    Raises:
        UsageError: the model reads in both directions.
    """

    def __init__(self, model: LanguageModel, vocab: Vocab, counts: Counts | None = None) -> None:
        model.require_one_direction()
        device = model.output.weight.device
        self.vocab = vocab
        # Apple's mps has no float64.
        self.device = torch.device("cpu") if device.type == "mps" else device
        self.quick_model = copy.deepcopy(model).to(self.device).eval()
        self.model = copy.deepcopy(self.quick_model).double()
        self.excluded = excluded_tokens(vocab)
        self.counts = counts
        if counts is None:
            # In the bias it costs nothing; a mask over the logits would cost time at every step.
            self.model.output.bias.detach()[self.excluded] = -torch.inf
        else:
            self.product = copy.deepcopy(counts.product).to(self.device).double()
        self.single_step = single_step(self.model)

    @classmethod
    def of(cls, trained: Trained) -> "Decoder":
        """Return a trained model made ready."""
        return cls(trained.model, trained.vocab, trained.counts)

    def read(self, text: str, context: Context | None = None) -> Context:
        """Return the context after a text of a person's, which goes on from another or begins.

        Raises:
            UsageError: the text is empty and begins.
            TextgenError: the weights are not numbers.
        """
        if not text and context is None:
            raise UsageError("--prefix is empty: it must have at least one character to go on from")
        if not text and context is not None:
            return context
        ids = self.vocab.encode(text)
        given = self._given(ids, context)
        context = self.read_ids(torch.from_numpy(ids).long()[None], context, given)
        if not context.logits.amax(dim=1).isfinite().all():
            raise TextgenError("the model computes no numbers: its training went wrong")
        return context

    def follow(self, text: str, context: Context) -> Context:
        """Return the context after a text that the model wrote: it does not count as read."""
        if not text:
            return context
        return self.read_ids(torch.from_numpy(self.vocab.encode(text)).long()[None], context)

    @torch.inference_mode()
    def read_ids(
        self, ids: Tensor, context: Context | None = None, given: Reading | None = None
    ) -> Context:
        """Return the context after the tokens (B, T), T at least 1, of B texts.

        Args:
            ids: the tokens.
            context: what they go on from; not given, the texts begin.
            given: what counts as read from here on; not given, what did before.
        """
        if context is not None:
            given = given or context.given
        if context is not None and ids.shape[1] == 1:
            kept = context.recent[:, 1 - MAX_REPETITION_WINDOW :]
            logits, features, state = self.single_step(ids[:, 0].to(self.device), context.state)
            return self._context(logits, features, state, torch.cat([kept, ids], 1), given)
        if context is None:
            state, recent = self._skim(ids[:, :-_EXACT]), ids[:, :0]
            unread = ids[:, -_EXACT:]
        else:
            state, recent, unread = context.state, context.recent, ids
        for chunk in unread.to(self.device).split(_CHUNK, dim=1):
            features, state = self.model.features(chunk, state)
        logits = self.model.output(features[:, -1])
        recent = torch.cat([recent, ids], 1)[:, -MAX_REPETITION_WINDOW:]
        return self._context(logits, features[:, -1], state, recent, given)

    def _context(
        self, logits: Tensor, features: Tensor, state: State, recent: Tensor, given: Reading | None
    ) -> Context:
        if self.counts is None or given is None:
            return Context(logits.cpu(), state, recent)
        learned = self.counts.learned
        seen = given.seen_after(recent[:, -learned.longest :].numpy())
        chances = self.product(features, logits, learned.consult(seen, np.float64))
        return Context(chances.cpu().masked_fill_(self.excluded, -torch.inf), state, recent, given)

    def _given(self, ids: TokenIds, context: Context | None) -> Reading | None:
        """Return what a person gave so far; <unk> stands where something else came between."""
        if self.counts is None:
            return None
        if context is not None and context.given is not None:
            ids = np.concatenate([context.given.tokens, [np.int32(UNKNOWN_ID)], ids])
        return self.counts.learned.reading(ids, ids[:0])

    def _skim(self, ids: Tensor) -> State:
        """Return the state after what a long prefix (B, T) begins with; T may be 0."""
        state = self.quick_model.begin_state(len(ids), self.device)
        for chunk in ids.to(self.device).split(_CHUNK, dim=1):
            if chunk.shape[1]:
                _, state = self.quick_model.features(chunk, state)
        return tuple(part.double() for part in state)

    @torch.inference_mode()
    def step(
        self, context: Context, config: GenerationConfig, uniforms: list[float]
    ) -> tuple[Tensor, Context]:
        """Draw one token more for each of B texts.

        Args:
            context: where the texts stand.
            config: how to draw.
            uniforms: a random number for each text, at least 0 and below 1.

        Returns:
            The ids (B,), and the context after them.
        """
        chances = weights(context.logits, config, context.recent)
        ids = draw(chances, torch.tensor(uniforms, dtype=torch.float64))
        return ids, self.read_ids(ids[:, None], context)


@dataclass(frozen=True)
class Step:
    """One token more in each of B texts."""

    samples: list[int]
    """The texts' numbers."""

    pieces: list[str]
    """What of each can be shown now; it may be empty."""

    endings: list[Ending]
    """How near each is to its end."""

    context: Context
    """After the tokens."""


def write_on(
    decoder: Decoder, context: Context, config: GenerationConfig, samples: Sequence[int] = (0,)
) -> Iterator[Step]:
    """Yield step after step until every text has ended.

    Args:
        decoder: the model.
        context: where all the texts begin, of one text.
        config: how to draw, and where to end.
        samples: the texts' numbers: text 3 of a seed is the same, whichever others are asked for.
    """
    seed = new_seed() if config.seed is None else config.seed
    for first in range(0, len(samples), _ROWS):
        numbers = list(samples[first : first + _ROWS])
        random = {number: np.random.default_rng([seed, number]) for number in numbers}
        endings = [Ending.of(config)] * len(numbers)
        batch = context.rows([0] * len(numbers))
        while numbers:
            uniforms = [random[number].random() for number in numbers]
            ids, batch = decoder.step(batch, config, uniforms)
            tokens = [decoder.vocab.tokens[id_] for id_ in ids.tolist()]
            fed = [ending.feed(token) for ending, token in zip(endings, tokens, strict=True)]
            endings = [ending for _, ending in fed]
            yield Step(numbers, [piece for piece, _ in fed], endings, batch)
            going = [row for row, ending in enumerate(endings) if ending.over is None]
            if len(going) < len(numbers):
                numbers = [numbers[row] for row in going]
                endings = [endings[row] for row in going]
                batch = batch.rows(going)


def one_after_another(steps: Iterator[Step]) -> Iterator[tuple[int, str, Ending]]:
    """Yield the pieces of one text after the other, each with its number and its ending.

    Those of the first come as they are written; of a text that is written beside it, what there is
    already comes as soon as the ones before it have ended.
    """
    waiting: dict[int, list[tuple[int, str, Ending]]] = {}
    for step in steps:
        for entry in zip(step.samples, step.pieces, step.endings, strict=True):
            waiting.setdefault(entry[0], []).append(entry)
        while waiting:
            first = next(iter(waiting))
            entries, waiting[first] = waiting[first], []
            yield from entries
            if not entries or entries[-1][2].over is None:
                break
            del waiting[first]


def generate(
    trained: Trained | Path | str, prefix: str, config: GenerationConfig = GenerationConfig()
) -> Iterator[str]:
    """Yield what a trained model writes on from a beginning, token by token.

    Args:
        trained: what ``load`` returns, or the name or the folder of a run.
        prefix: the beginning, at least one character; it is not yielded.
        config: how to draw, and where to end.

    Raises:
        TextgenError: the prefix is empty, or there is no such run.
    """
    trained = as_trained(trained)
    return continuation(trained.model, trained.vocab, prefix, config, trained.counts)


def continuation(
    model: LanguageModel,
    vocab: Vocab,
    prefix: str,
    config: GenerationConfig = GenerationConfig(),
    counts: Counts | None = None,
) -> Iterator[str]:
    """Warm the state up over a prefix, then yield what follows it, token by token.

    Args:
        model: the language model, on any device.
        vocab: its vocabulary; what it does not know of the prefix is read as ``<unk>``.
        prefix: the beginning, at least one character; it is not yielded.
        config: how to draw, and where to end.
        counts: what the model knows beside the network, if it does.

    Raises:
        UsageError: the prefix is empty.
    """
    decoder = Decoder(model, vocab, counts)
    steps = write_on(decoder, decoder.read(prefix), config)
    return (step.pieces[0] for step in steps if step.pieces[0])
