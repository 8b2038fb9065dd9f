"""A model made ready to write, and what it knows of a text: all by numpy.

Shapes: B texts, V vocabulary, T tokens, R recent tokens.

A seed gives the same text on every run, alone and among any number of others: every text has random
numbers of its own, which follow from the seed and from the text's number, and products of its own
(see ``network.py``), on one thread, so that they are always added up in the same order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from textgen.config import MAX_REPETITION_WINDOW, Cell, GenerationConfig
from textgen.counts.mixer import Given, Mixer
from textgen.errors import TextgenError, UsageError
from textgen.runs.trained import Trained
from textgen.text.vocab import UNKNOWN_ID, TokenIds, Vocab
from textgen.writing.endings import Ending
from textgen.writing.ensemble import Ensemble
from textgen.writing.network import Array, State
from textgen.writing.one_thread import one_thread
from textgen.writing.sampling import draw, excluded_tokens, weights

_MEMORY = 8192
"""Tokens at a prefix's end by which what stood before is forgotten; that is tried each time."""

_FIRST = 64
"""Tokens of its beginning that are enough to have read something else."""

_SAME = 1e-5
"""How near two states are, half of those tokens later, that do not tell what was read before."""


@dataclass(frozen=True)
class Context:
    """What B texts have come to, as far as the model is concerned: all that going on needs."""

    logits: Array
    """Of the next tokens, (B, V), minus infinity of excluded ones. With counts, they are log
    probabilities."""

    state: State
    """After the last token."""

    recent: TokenIds
    """The ids of the last tokens, the newest last, (B, R)."""

    given: Given | None = None
    """What a person gave of the texts, which counts as read, with counts."""

    def rows(self, rows: list[int]) -> "Context":
        """Return the context of some of the texts, or of one text many times."""
        state = tuple(tuple(part[rows] for part in layer) for layer in self.state)
        return Context(self.logits[rows], state, self.recent[rows], self.given)


class Decoder:
    """A model made ready to write.

    Args:
        weights: its networks', by the names of the modules' parameters; they stay as they are.
        cell: the kind of its recurrent layers.
        vocab: its vocabulary.
        mixer: what it knows beside the network, if it does.
        end: what closes an item, where it has learned items (``text.items``). Each text is then
            one: it begins after an end, with a fresh state, and nothing counts as read before it.
    """

    def __init__(
        self,
        weights: Mapping[str, Array],
        cell: Cell,
        vocab: Vocab,
        mixer: Mixer | None = None,
        end: str | None = None,
    ) -> None:
        self.vocab = vocab
        self.end = end
        self.excluded = excluded_tokens(vocab, end)
        self._excluded_ids = np.flatnonzero(self.excluded)
        self.mixer = mixer
        silent = self._excluded_ids.tolist() if mixer is None else []
        self.networks = Ensemble(weights, cell, silent)

    @classmethod
    def of(cls, trained: Trained) -> Self:
        """Return a trained model made ready."""
        weights, learned = trained.weights, trained.learned
        mixer = None if learned is None else Mixer(weights.gate, learned)
        run = trained.run
        return cls(weights.network, run.settings.model.cell, trained.vocab, mixer, run.end)

    def read(self, text: str, context: Context | None = None) -> Context:
        """Return the context after a text of a person's, which goes on from another or begins.

        Where it has learned items, what stands before the last end is of another one; and one may
        begin with nothing.

        Raises:
            UsageError: the text is empty and begins.
            TextgenError: the weights are not numbers.
        """
        if self.end is not None and (context is None or self.end in text):
            text, context = self.end + text.rpartition(self.end)[2].lstrip("\n"), None
        if not text and context is None:
            raise UsageError("--prefix is empty: it must have at least one character to go on from")
        if not text and context is not None:
            return context
        ids = self.vocab.encode(text)
        after = self.read_ids(ids[None], context, self._given(ids, context))
        if text == self.end:
            after.logits[:, self.vocab[text]] = -np.inf  # no item is empty
        return after

    def follow(self, text: str, context: Context) -> Context:
        """Return the context after a text that the model wrote: it does not count as read."""
        return self.read_ids(self.vocab.encode(text)[None], context) if text else context

    @one_thread()
    @np.errstate(over="ignore", invalid="ignore")  # told below
    def read_ids(
        self, ids: TokenIds, context: Context | None = None, given: Given | None = None
    ) -> Context:
        """Return the context after the tokens (B, T), T at least 1, of B texts.

        Args:
            ids: the tokens.
            context: what they go on from; not given, a text begins, and B is 1.
            given: what counts as read from here on; not given, what did before.

        Raises:
            TextgenError: the weights are such that no numbers come out.
        """
        if context is None:
            state, recent = self._skim(ids[:, :-1]), ids
        else:
            state = self._advance(ids[:, :-1], context.state)
            recent = np.concatenate([context.recent, ids], axis=1)
            given = given or context.given
        last = ids[:, -1].tolist()
        state = self.networks.advance(last, state)
        features = self.networks.features(last, state)
        logits = self.networks.logits(features)
        recent = recent[:, -MAX_REPETITION_WINDOW:]
        if self.mixer is not None and given is not None:
            histories = recent[:, -self.mixer.learned.histories.reach :].tolist()
            for row, history in enumerate(histories):
                logits[row] = self.mixer.log_probabilities(
                    features[row], logits[row], tuple(history), given
                )
            logits[:, self._excluded_ids] = -np.inf
        if not np.isfinite(logits.max()):
            raise TextgenError("the model computes no numbers: its training went wrong")
        return Context(logits, state, recent, given)

    def ending(self, config: GenerationConfig, stops: Sequence[str] = ()) -> Ending:
        """Return the ending of a text that has not begun; an item ends with its end, too."""
        return Ending.of(config, stops if self.end is None else (*stops, self.end))

    def step(
        self, context: Context, config: GenerationConfig, uniforms: list[float]
    ) -> tuple[list[int], Context]:
        """Draw one token more for each of B texts.

        Args:
            context: where the texts stand.
            config: how to draw.
            uniforms: a random number for each text, at least 0 and below 1.

        Returns:
            The tokens, and the context after them.
        """
        tokens = [
            draw(weights(logits, config, recent), uniform)
            for logits, recent, uniform in zip(
                context.logits, context.recent, uniforms, strict=True
            )
        ]
        return tokens, self.read_ids(np.array(tokens, np.int32)[:, None], context)

    def _given(self, ids: TokenIds, context: Context | None) -> Given | None:
        """Return what a person gave so far; <unk> stands where something else came between."""
        if self.mixer is None:
            return None
        if self.end is not None:
            return self.mixer.given(ids[:0])
        if context is not None and context.given is not None:
            ids = np.concatenate([context.given.tokens, [np.int32(UNKNOWN_ID)], ids])
        return self.mixer.given(ids)

    def _advance(self, ids: TokenIds, state: State) -> State:
        for tokens in ids.T.tolist():
            state = self.networks.advance(tokens, state)
        return state

    def _skim(self, ids: TokenIds) -> State:
        """Return the state after the tokens (1, T) that a text begins with; T may be 0.

        Of a long text only the end is read, if that is enough: if the end, read on from nothing and
        read on from the text's first tokens, comes to the same state.
        """
        begin = self.networks.begin()
        if ids.shape[1] > 2 * _MEMORY:
            end, half = ids[:, -_MEMORY:], _MEMORY // 2
            once = self._advance(ids[:, :_FIRST], begin)
            both = tuple(
                tuple(np.concatenate(pair) for pair in zip(*layers, strict=True))
                for layers in zip(begin, once, strict=True)
            )
            both = self._advance(end[:, :half].repeat(2, axis=0), both)
            if all(np.abs(part[0] - part[1]).max() < _SAME for layer in both for part in layer):
                forgotten = tuple(tuple(part[:1] for part in layer) for layer in both)
                return self._advance(end[:, half:], forgotten)
        return self._advance(ids, begin)
