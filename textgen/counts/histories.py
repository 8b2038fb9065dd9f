"""What followed each history of one, two, three ... tokens in a text.

A history of k tokens with the token that followed it is a history of k + 1 tokens. So all are
numbered length by length, sorted by the shorter history, then by the token: the followers of one
history have numbers that stand next to each other, and those of a longer one are found by two
steps instead of by a search through the text.

Beside them there are histories that skip: what stood not right after them, but 1, 2, ... S tokens
later. Each is one of the histories of (K + 1) // 2 tokens, and has its number.

In a text of items (``text.items``) no history looks past an end: the longest one that stands at a
place begins with it.

Shapes: N tokens of the text, V vocabulary, K longest history, S that skip, H_k different histories
of k tokens, G_k of them with what followed (so H_1 = V and H_k+1 = G_k), R places, n followers in
all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.counts.sorting import begins, in_order, which
from textgen.text.vocab import TokenIds

Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Followed:
    """What followed the histories at R places: of each row the tokens, rising, and how often."""

    rows: Integers
    """(n,), rising."""

    tokens: Integers
    """(n,)."""

    counts: Integers
    """(n,), above 0."""

    def keys(self, vocab_size: int) -> NDArray[np.int64]:
        """Return row and token as one number, (n,), rising."""
        keys: NDArray[np.int64] = self.rows * np.int64(vocab_size) + self.tokens
        return keys

    def with_added(self, other: "Followed", vocab_size: int) -> "Followed":
        """Return what followed in this text or the other."""
        if not len(other.rows):
            return self
        keys, others = self.keys(vocab_size), other.keys(vocab_size)
        at = np.searchsorted(keys, others)
        known = np.append(keys, -1)[at] == others
        counts = self.counts.copy()
        counts[at[known]] += other.counts[known]
        at, new = at[~known], ~known
        return Followed(
            np.insert(self.rows, at, other.rows[new]),
            np.insert(self.tokens, at, other.tokens[new]),
            np.insert(counts, at, other.counts[new]),
        )


@dataclass(frozen=True)
class Followers:
    """What followed the histories of one length."""

    first: Integers
    """Where each history's followers begin, (H + 2,): one more for their end, and one for the
    history that is none, number H, which nothing followed."""

    tokens: Integers
    """(G,), rising within a history."""

    counts: Integers
    """How often, (G,)."""

    @property
    def none(self) -> int:
        """The number of the history that never stood."""
        return len(self.first) - 2


@dataclass(frozen=True)
class Positions:
    """Where the histories of one length stand, k tokens with those that are skipped."""

    histories: Integers
    """Which one stands before each place, (N + 1,)."""

    places: Integers
    """The places by history, those of each rising, (N - k,)."""

    starts: Integers
    """Where each history's begin, (H + 2,)."""

    def before(self, histories: Integers, places: Integers) -> Integers:
        """Return where, among all, a history's first place is that is not before a given one.

        The places may have a dimension more, (..., R).
        """
        return bisect(self.places, self.starts[histories], self.starts[histories + 1], places)


class Histories:
    """What followed every history of at most K tokens.

    Args:
        followers: of each length, from 1 on; then of those that skip 1, 2, ... S tokens.
        vocab_size: V.
        skips: S.
        positions: where they stand, if that is known.
        pairs: then also which pair of the longest history and what followed it stands at each
            place, from K on, (N - K,); and of those that skip, from where they reach back to.
        end: the id of what closes an item, in a text of items.
    """

    def __init__(
        self,
        followers: Sequence[Followers],
        vocab_size: int,
        skips: int = 0,
        positions: Sequence[Positions] = (),
        pairs: Sequence[Integers] = (),
        end: int | None = None,
    ) -> None:
        self.followers = followers
        self.vocab_size = vocab_size
        self.skips = skips
        self.positions = positions
        self.end = end
        self._pairs = pairs
        self.longest = len(followers) - skips
        """K."""

        self.spans = [(k, 0) for k in range(1, self.longest + 1)]
        """Of each one its tokens, and how many it skips."""

        self.spans += [(_skipping(self.longest), skipped) for skipped in range(1, skips + 1)]
        self.reach = max((sum(span) for span in self.spans), default=0)
        """Tokens that the one looks back which looks back the furthest."""

    @classmethod
    def of(
        cls,
        tokens: TokenIds,
        vocab_size: int,
        longest: int,
        skips: int = 0,
        end: int | None = None,
    ) -> "Histories":
        """Return those of a text.

        Args:
            tokens: ids (N,); N may be 0, and less than K.
            vocab_size: V.
            longest: K.
            skips: S.
            end: the id of what closes an item, in a text of items.
        """
        count = len(tokens)
        back = None if end is None else _back(tokens == end)
        followers, positions = [], []
        # Which history of k tokens ends at each place, from k - 1 on; and those places in order.
        grams, kinds = tokens.astype(np.int32), vocab_size
        order = in_order(tokens.astype(np.int64))[1]
        for k in range(1, longest + 1):
            histories = np.full(count + 1, kinds, np.int32)
            histories[k:] = grams
            before = histories[k:count]
            places = order[order < len(before)]  # at the end, nothing follows
            if back is not None:
                whole = back[k:count] >= k
                before, places = np.where(whole, before, np.int32(kinds)), places[whole[places]]
            starts = _starts_of_known(before, kinds)
            places += k
            positions.append(Positions(histories, places, starts))
            del grams  # of a long text, every array is tens of megabytes
            grams, order, found = _longer(before, tokens[k:], kinds, vocab_size)
            followers.append(found)
            kinds = len(found.tokens)
        pairs = [grams]
        length = _skipping(longest)
        for skipped in range(1, skips + 1):
            # The same histories, each a few places later, and what followed them there.
            same, none = positions[length - 1], followers[length - 1].none
            histories = np.full(count + 1, none, np.int32)
            histories[skipped:] = same.histories[:-skipped]
            places = same.places + np.int32(skipped)
            places = places[places < count]
            if back is not None:
                whole = back >= length + skipped
                histories[~whole], places = none, places[whole[places]]
            before = histories[length + skipped : count]
            positions.append(Positions(histories, places, _starts_of_known(before, none)))
            grams, _, found = _longer(before, tokens[length + skipped :], none, vocab_size)
            followers.append(found)
            pairs.append(grams)
        return cls(followers, vocab_size, skips, positions, pairs, end)

    def find(self, recent: TokenIds) -> list[Integers]:
        """Return the numbers (R,) of the histories that end ``recent`` (R, C).

        An id of -1 is no token.

        Returns:
            Of those of 1 to K tokens, then of those that skip 1 to S.
        """
        if self.end is not None:
            newest = np.logical_or.accumulate((recent == self.end)[:, ::-1], axis=1)[:, ::-1]
            recent = recent.copy()
            recent[:, :-1][newest[:, 1:]] = -1  # what stands before the last end
        return [
            self._ending(recent[:, : max(0, recent.shape[1] - skipped)], k)
            for k, skipped in self.spans
        ]

    def _ending(self, recent: TokenIds, k: int) -> Integers:
        """Return the numbers (R,) of the histories of k tokens that end ``recent`` (R, C)."""
        if recent.shape[1] < k:
            return np.full(len(recent), self.followers[k - 1].none)
        oldest = recent[:, -k].astype(np.int64)
        number: Integers = np.where(oldest < 0, self.followers[0].none, oldest)
        for place in range(1, k):
            number = self._longer(place, number, recent[:, place - k])
        return number

    def _longer(self, length: int, histories: Integers, tokens: TokenIds) -> Integers:
        """Return the numbers of histories of so many tokens with one token more."""
        known = self.followers[length - 1]
        low, high = known.first[histories], known.first[histories + 1]
        at = bisect(known.tokens, low, high, tokens)
        there = at < high
        there[there] = known.tokens[at[there]] == tokens[there]
        return np.where(there, at, self.followers[length].none)

    def followed(
        self, which: int, histories: Integers, less: tuple[Integers, Integers] | None = None
    ) -> Followed:
        """Return what followed histories.

        Args:
            which: their length; of those that skip s tokens, K + s.
            histories: their numbers, (R,).
            less: where in the order of ``Positions.places`` those begin and end, of each history,
                that do not count; each (R,).
        """
        known = self.followers[which - 1]
        first = known.first[histories]
        rows, at = ranges(first, known.first[histories + 1] - first)
        counts = known.counts[at]
        if less is None:
            return Followed(rows, known.tokens[at], counts)
        begin, end = less
        their_rows, where = ranges(begin, end - begin)
        shift = np.searchsorted(rows, np.arange(len(histories))) - first
        places = self.positions[which - 1].places[where]
        taken = self._pairs_at(which, places) + shift[their_rows]
        counts = counts - np.bincount(taken, minlength=len(counts))
        left = np.flatnonzero(counts)
        return Followed(rows[left], known.tokens[at[left]], counts[left])

    def _pairs_at(self, which: int, places: Integers) -> Integers:
        """Return which pair of a history and what followed stands at places; see ``followed``."""
        if which < self.longest:  # it is a history of one token more
            return self.positions[which].histories[places + 1]
        return self._pairs[which - self.longest][places - sum(self.spans[which - 1])]


def _skipping(longest: int) -> int:
    """Return how many tokens a history has that skips."""
    return (longest + 1) // 2


def ranges(starts: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """Return ``starts[r], starts[r] + 1, ...``, of each row so many, after the number of its row.

    Both are (n,), n the sum of the lengths.
    """
    rows = np.repeat(np.arange(len(starts)), lengths)
    shift = starts - (np.cumsum(lengths) - lengths)
    return rows, np.arange(len(rows)) + shift[rows]


def bisect(values: Integers, low: Integers, high: Integers, wanted: Integers) -> Integers:
    """Return where, between ``low`` and ``high``, the first value is that is not below a wanted.

    Args:
        values: rising between each low and its high.
        low: where to begin, (R,).
        high: where to end, (R,); it is the answer where all are below.
        wanted: (R,).
    """
    last = len(values) - 1
    low, high = np.broadcast_arrays(low, high, wanted)[:2]
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        below = (low < high) & (values[np.minimum(middle, last)] < wanted)
        low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
    return low


def _longer(
    histories: Integers, tokens: TokenIds, kinds: int, vocab_size: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], Followers]:
    """Return what so many kinds of histories (n,) make with the tokens (n,) that follow them.

    Returns:
        The number of each longer history, (n,); their places in order, (n,), those of each rising;
        and what followed the histories.
    """
    keys = histories.astype(np.int64)
    keys *= vocab_size
    keys += tokens
    keys, order = in_order(keys)
    new = begins(keys)
    keys = keys[new]
    followed = (keys // vocab_size).astype(np.int32)
    keys %= vocab_size
    following = keys.astype(np.int32)
    del keys
    first = np.flatnonzero(new).astype(np.int32)
    counts = np.append(first[1:], np.int32(len(order)))[: len(first)] - first
    del first
    starts = _starts_of_known(followed, kinds)
    del followed
    numbers, known = which(new, order), int(starts[-1])
    if known < len(following):  # what followed the history that is none stands last
        np.minimum(numbers, known, out=numbers)
    return numbers, order, Followers(starts, following[:known], counts[:known])


def _starts(numbers: Integers, kinds: int) -> NDArray[np.int32]:
    """Return where, in order, those of each kind begin, and where the last ones end: (kinds + 1,).

    ``numbers`` (n,) say of which kind each is.
    """
    starts = np.zeros(kinds + 1, np.int32)
    np.cumsum(np.bincount(numbers, minlength=kinds), out=starts[1:])
    return starts


def _starts_of_known(histories: Integers, kinds: int) -> NDArray[np.int32]:
    """Return the same of so many kinds of histories and of the one that is none: of that, none."""
    starts = _starts(histories, kinds + 1)
    starts[-1] = starts[-2]
    return starts


def _back(ends: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return how many tokens a history at each place may have, (N + 1,): back to the last end."""
    places = np.arange(len(ends) + 1, dtype=np.int32)
    last = np.zeros_like(places)
    last[1:] = np.where(ends, places[:-1], 0)
    back: NDArray[np.int32] = places - np.maximum.accumulate(last)
    return back
