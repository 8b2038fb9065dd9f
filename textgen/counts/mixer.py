"""The network multiplied with counts at one place, in numpy: ``product.py`` where nobody learns.

At one place there is less to do than at many. What counts as read changes only where a person gives
something: so all that its windows say is written out once, and from token to token only the
histories are others.

Shapes: V vocabulary, F features, K longest history, n tokens that followed a history.
"""

from bisect import bisect_left
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from textgen.counts.experts import DISCOUNT, SCALE, WINDOWS, Form
from textgen.counts.histories import Histories, Integers
from textgen.counts.learned import Learned
from textgen.counts.reading import LATEST
from textgen.errors import TextgenError
from textgen.text.vocab import TokenIds

Array = NDArray[np.floating[Any]]

Recent = tuple[int, ...]
"""The last tokens, the newest last."""

Tokens = tuple[Integers, Integers]
"""Tokens that followed a history, and how often each did, both (n,)."""

_REMEMBERED = 2**14
"""Histories whose numbers are kept: a history is found from the shorter one a token ago."""


_NOTHING = np.zeros(0, np.int32)


class Lookup:
    """What followed the histories that end a text, found one at a time.

    Args:
        histories: of a text that was counted.
    """

    def __init__(self, histories: Histories) -> None:
        self._histories = histories
        self._number = lru_cache(_REMEMBERED)(self._find)

    def followed(self, recent: Recent) -> list[Tokens]:
        """Return for each length what followed, then for each that skips."""
        found: list[Tokens] = []
        followers_of = self._histories.followers
        for number, followers in zip(self._numbers(recent), followers_of, strict=True):
            here = slice(followers.first[number], followers.first[number + 1])
            found.append((followers.tokens[here], followers.counts[here]))
        return found

    def latest(self, recent: Recent, tokens: TokenIds) -> list[Tokens]:
        """Return for each length the same of the last places only, in the text (M,) counted."""
        found: list[Tokens] = []
        of_each_length = self._histories.positions[: self._histories.longest]
        numbers = self._numbers(recent)[: len(of_each_length)]
        for number, positions in zip(numbers, of_each_length, strict=True):
            first, end = positions.starts[number], positions.starts[number + 1]
            if first == end:
                found.append((_NOTHING, _NOTHING))
            else:
                places = positions.places[max(first, end - LATEST) : end]
                found.append(np.unique(tokens[places], return_counts=True))
        return found

    def _numbers(self, recent: Recent) -> list[int]:
        """Return the number of the history of each length, and of each that skips."""
        count = len(recent)
        return [
            self._number(recent[count - k - skipped : count - skipped])
            if k + skipped <= count
            else self._histories.followers[k - 1].none
            for k, skipped in self._histories.spans
        ]

    def _find(self, history: Recent) -> int:
        if len(history) == 1:
            return history[0]
        shorter = self._histories.followers[len(history) - 2]
        number = self._number(history[:-1])
        low, high = int(shorter.first[number]), int(shorter.first[number + 1])
        at = bisect_left(shorter.tokens, history[-1], low, high)
        there = at < high and shorter.tokens[at] == history[-1]
        return at if there else self._histories.followers[len(history) - 1].none


class Given(NamedTuple):
    """What a person gave of a text, which counts as read, and all that its windows say."""

    tokens: TokenIds
    """(M,)."""

    lookup: Lookup

    proposals: Array
    """log u, and phi of the windows less their constants, (4, V)."""

    windows: Array
    """Their own probabilities, (3, V)."""

    lengths: list[float]
    """log(1 + n) of the windows' tokens, (3,)."""


def _is_of(form: Form, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Return whether weights of such shapes are those of a gate for such experts."""
    units, features = (*shapes.get("features.weight", ()), 0, 0)[:2]
    outputs = 2 + form.num_experts + 2 + 2 + len(WINDOWS)
    expected = {
        "features.weight": (units, features),
        "inputs.weight": (units, form.num_inputs + 2),
        "inputs.bias": (units,),
        "out.weight": (outputs, units),
        "out.bias": (outputs,),
    }
    return shapes == expected


class Mixer:
    """The gate, and the counts that it trusts more or less.

    Args:
        gate: the weights of ``Product``, by its parameters' names.
        learned: what was counted.

    Raises:
        TextgenError: the two do not belong together.
    """

    def __init__(self, gate: Mapping[str, Array], learned: Learned) -> None:
        self.learned = learned
        self._lookup = Lookup(learned.histories)
        form = learned.form
        if not _is_of(form, {name: values.shape for name, values in gate.items()}):
            raise TextgenError(
                "the run's weights and its counts.safetensors, of histories of up to {longest} "
                "tokens, are of two trainings: put the two together that belong together",
                longest=form.longest,
            )
        # The features' part and the inputs' in one matrix: one product in place of two.
        self._units = np.concatenate(
            [gate["features.weight"], SCALE * gate["inputs.weight"]], axis=1
        )
        self._bias = gate["inputs.bias"]
        self._out, self._out_bias = gate["out.weight"], gate["out.bias"]
        self._frequencies = learned.frequencies.astype(self._bias.dtype)
        self._exponents = 2 + form.num_experts

    def given(self, tokens: TokenIds) -> Given:
        """Return what a person gave, ids (M,), as it counts from here on."""
        kind = self._bias.dtype.type
        reading = self.learned.reading(tokens, tokens[:0])
        experts = self.learned.consult(reading.seen_after(np.full((1, 1), -1)), kind)
        windows, constants = experts.windows[0], experts.constants[0, -len(WINDOWS) :]
        return Given(
            tokens,
            Lookup(reading.own),
            np.concatenate([experts.log_frequencies[None], windows]),
            self._frequencies * np.exp(windows + constants[:, None]),
            experts.inputs[0, -len(WINDOWS) :].tolist(),
        )

    def log_probabilities(
        self, features: Array, logits: Array, recent: Recent, given: Given
    ) -> Array:
        """Return the log probabilities (V,) of the next token.

        Args:
            features: what the network's output layer reads, (F,).
            logits: what it makes of them, (V,).
            recent: the tokens before.
            given: what of the text counts as read.
        """
        longest = self.learned.form.longest
        recent = recent[-self.learned.histories.reach :]
        shifted = logits - logits.max()
        network = _softmax(shifted)
        followed = self._followed(recent, given)
        experts, of_all, known = self._discounted(followed[:longest])
        latest = given.lookup.latest(recent, given.tokens)
        lately, of_latest, known_lately = self._discounted(latest)
        experts += [(longest + place, tokens, phi) for place, tokens, phi in lately]
        known += known_lately
        for place, (tokens, counts) in enumerate(followed[longest:], start=2 * longest):
            total, kinds = float(counts.sum()), len(tokens)
            known += [total, kinds]
            if kinds:
                shorter = (DISCOUNT * kinds / total) * self._frequencies[tokens]
                longer = _longer(counts, total, shorter)
                longer /= shorter
                experts.append((place, tokens, np.log(longer, out=longer)))
        certainty = float(np.log(network.max()))
        entropy = -certainty - float(network @ shifted)
        known = np.log1p(known).tolist()
        a, g = self._gate(features, [*known, *given.lengths, certainty, entropy])

        exponent = a[[1, *range(len(a) - len(WINDOWS), len(a))]] @ given.proposals
        exponent += a[0] * logits
        for place, tokens, phi in experts:
            exponent[tokens] += a[2 + place] * phi
        chances = g[0] * _softmax(exponent)
        for share, others in zip(g[1:4], (network, of_all, of_latest), strict=True):
            chances += share * others
        chances += g[4:] @ given.windows
        with np.errstate(divide="ignore"):  # what has no chance at all
            log_probabilities: Array = np.log(chances)
        return log_probabilities

    def _gate(self, features: Array, inputs: list[float]) -> tuple[Array, Array]:
        """Return the exponents a, and the shares g, which sum to one; see ``product.py``."""
        known = np.concatenate([features, np.array(inputs, features.dtype)])
        units = np.tanh(self._units @ known + self._bias)
        out = self._out @ units + self._out_bias
        return out[: self._exponents], _softmax(out[self._exponents :])

    def _followed(self, recent: Recent, given: Given) -> list[Tokens]:
        """Return what followed in all that counts."""
        found: list[Tokens] = []
        lately = given.lookup.followed(recent)
        for (tokens, counts), (new, times) in zip(
            self._lookup.followed(recent), lately, strict=True
        ):
            if len(new):
                every, places = np.unique(np.concatenate([tokens, new]), return_inverse=True)
                found.append((every, np.bincount(places, np.concatenate([counts, times]))))
            else:
                found.append((tokens, counts))
        return found

    def _discounted(
        self, followed: list[Tokens]
    ) -> tuple[list[tuple[int, Integers, Array]], Array, list[float]]:
        """Return what a family says; the formulas stand in ``experts.py``.

        Returns:
            Of each history that stood, its place in the family, its tokens and phi less its
            constant; the longest one's own probabilities, (V,); and of all of them, how many
            tokens, and kinds, followed.
        """
        chances = self._frequencies
        experts: list[tuple[int, Integers, Array]] = []
        known: list[float] = []
        for length, (tokens, counts) in enumerate(followed):
            total, kinds = float(counts.sum()), len(tokens)
            known += [total, kinds]
            if kinds:
                chances = (DISCOUNT * kinds / total) * chances
                shorter = chances[tokens]
                longer = _longer(counts, total, shorter)
                chances[tokens] = longer
                longer /= shorter
                experts.append((length, tokens, np.log(longer, out=longer)))
        return experts, chances, known


def _longer(counts: Integers, total: float, shorter: Array) -> Array:
    """Return the probabilities of tokens that followed, from what the shorter history leaves."""
    longer: Array = counts.astype(shorter.dtype)
    longer -= DISCOUNT
    longer /= total
    longer += shorter
    return longer


def _softmax(logits: Array) -> Array:
    softmax: Array = np.exp(logits - logits.max())
    softmax /= softmax.sum()
    return softmax
