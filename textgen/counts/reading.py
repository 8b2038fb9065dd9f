"""What was read before a place: learned texts and, apart from them, what was read lately.

A place sees no future. In a text that is learned from, everything would be its own future or past:
so the text is cut into ten blocks, and at each place the other nine are what was learned, and the
own block, up to the place, is what was read lately. So a gate learns on the training text, with
nothing set aside, what it is worth to have learned nine tenths of a text and to read the last.
Only the frequencies are those of the whole text.

What was read lately begins with the text that is read: at the first held-out character it is
nothing yet, though the end of the training text stands right before.

Shapes: R places, K longest history, S that skip, C tokens of context, M tokens of the text being
read.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.counts.histories import Followed, Histories, Integers
from textgen.text.vocab import TokenIds

BLOCKS = 10
"""Of a text that is learned from."""

LATEST = 2
"""Places where a history stood last, of which is kept what followed."""

_STRIDE = 16
"""Tokens after which the windows move on: the last few stand in histories, and to count every
window anew at every place would take most of the time (docs/performance.md)."""


@dataclass(frozen=True)
class Seen:
    """What was read before R places."""

    followed: list[Followed]
    """What followed the history there, K of each length and S that skip: in all that counts."""

    latest: NDArray[np.int64]
    """The tokens that followed it, of each length, in the last few places of what was read lately,
    the newest first, (R, K, 2); -1 where there were fewer."""

    text: TokenIds
    """What was read lately is a part of this, (M,)."""

    since: Integers
    """Where it begins, (R,)."""

    until: Integers
    """Where it ends, (R,), as far as windows look."""


class Blocks:
    """A text that is learned from.

    Args:
        tokens: ids (E + N,).
        histories: their own, with their positions.
        blocks: how many.
        earlier: E, tokens before the text that were learned earlier; they always count.
    """

    def __init__(
        self, tokens: TokenIds, histories: Histories, blocks: int = BLOCKS, earlier: int = 0
    ) -> None:
        self._tokens = tokens
        self._histories = histories
        self._earlier = earlier
        self._borders = earlier + np.arange(blocks + 1) * (len(tokens) - earlier) // blocks

    def seen(self, places: Integers, hidden: NDArray[np.bool_]) -> Seen:
        """Return what counts at places (R,): the other blocks, and the own one before the place.

        Args:
            places: of the text; at best in stretches: the windows of one are counted together.
            hidden: where nothing of the own block counts, (R,).
        """
        places = places + self._earlier
        block = np.searchsorted(self._borders, places, "right") - 1
        since, end = self._borders[block], self._borders[block + 1]
        followed, latest = [], []
        for which, (positions, span) in enumerate(
            zip(self._histories.positions, self._histories.spans, strict=True), start=1
        ):
            histories = positions.histories[places]
            # Histories that reach back into the own block tell of it: as many places do not count.
            borders = np.stack([since, places, end + sum(span)])
            first, here, last = positions.before(histories, borders)
            less = np.where(hidden, first, here), last
            followed.append(self._histories.followed(which, histories, less))
            if which <= self._histories.longest:
                first = np.where(hidden, here, first)
                latest.append(_latest(self._tokens, positions.places, first, here))
        until = np.where(hidden, since, _on_stride(places, since))
        return Seen(followed, np.stack(latest, axis=1), self._tokens, since, until)


class Reading:
    """A text that is read after another one was learned.

    Args:
        learned: what followed what in the learned one.
        tokens: ids (M,) of the text.
        before: ids (C,) of what stands before it, as histories reach back into it.
    """

    def __init__(self, learned: Histories, tokens: TokenIds, before: TokenIds) -> None:
        self.tokens = tokens
        self._learned = learned
        self.own = Histories.of(
            tokens, learned.vocab_size, learned.longest, learned.skips, learned.end
        )
        """What followed what in the text itself."""
        context = before[-learned.reach :]
        self._context = np.concatenate([context, tokens])
        self._offset = len(context)

    def seen(self, places: Integers, *, hidden: bool = False) -> Seen:
        """Return what counts at places (R,): what was learned, and the text before them.

        Args:
            places: as in ``Blocks.seen``.
            hidden: nothing of the text itself counts.
        """
        back = places[:, None] + self._offset - np.arange(self._learned.reach, 0, -1)
        # Where the context is shorter than a history, nothing follows it.
        recent = np.where(back >= 0, self._context[np.maximum(back, 0)], -1)
        since = np.zeros_like(places)
        if hidden:
            return self._seen(recent, None, since, since)
        histories = [positions.histories[places] for positions in self.own.positions]
        return self._seen(recent, (histories, places), since, _on_stride(places, since))

    def seen_after(self, recent: TokenIds) -> Seen:
        """Return what counts after any tokens (R, C): what was learned, and the whole text."""
        end = np.full(len(recent), len(self.tokens))
        own = self.own.find(recent), end
        return self._seen(recent, own, np.zeros_like(end), end)

    def _seen(
        self,
        recent: TokenIds,
        own: tuple[list[Integers], Integers] | None,
        since: Integers,
        until: Integers,
    ) -> Seen:
        followed, latest = [], []
        for which, histories in enumerate(self._learned.find(recent), start=1):
            learned = self._learned.followed(which, histories)
            tokens = np.full((len(recent), LATEST), -1)
            if own is not None:
                positions, mine = self.own.positions[which - 1], own[0][which - 1]
                here, end = positions.before(mine, own[1]), positions.starts[mine + 1]
                lately = self.own.followed(which, mine, (here, end))
                learned = learned.with_added(lately, self._learned.vocab_size)
                first = positions.starts[mine]
                tokens = _latest(self.tokens, positions.places, first, here)
            followed.append(learned)
            if which <= self._learned.longest:
                latest.append(tokens)
        return Seen(followed, np.stack(latest, axis=1), self.tokens, since, until)


def _latest(tokens: TokenIds, places: Integers, first: Integers, here: Integers) -> Integers:
    """Return what stands at the last places before ``here`` and not before ``first``, (R, 2)."""
    at = here[:, None] - np.arange(1, LATEST + 1)
    there = at >= first[:, None]
    if not there.any():
        return np.full(at.shape, -1)
    return np.where(there, tokens[places[np.where(there, at, 0)]], -1)


def _on_stride(places: Integers, since: Integers) -> Integers:
    return places - (places - since) % _STRIDE
