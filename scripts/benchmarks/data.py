"""From a text to batches."""

from collections import deque

import numpy as np
from baselines import random_batches, sequential_batches

from benchmarks.timing import Clock, Row
from textgen.text.batches import RandomBatches, SequentialBatches
from textgen.text.vocab import Vocab


def text_to_ids(text: str, clock: Clock) -> list[Row]:
    """Look up code points in a table, against a dictionary look-up for each character."""
    vocab = Vocab.build(text)
    ids = {token: id_ for id_, token in enumerate(vocab.tokens)}

    def one_by_one() -> object:
        return np.array([ids.get(character, 0) for character in text], dtype=np.int32)

    ours, baseline = clock.medians(lambda: vocab.encode(text), one_by_one)
    megabytes = len(text.encode()) / 1e6
    note = f"{megabytes / ours:,.0f} MB of UTF-8 a second"
    return [Row("text to ids", ours, baseline, 20.0, note)]


def batches(text: str, clock: Clock) -> list[Row]:
    """Go through an epoch of 32 x 35, against document A's iterators over a list of ids."""
    tokens = Vocab.build(text).encode(text)
    ids = tokens.tolist()
    rows = []
    for name, ours, theirs in (
        ("sequential batches", SequentialBatches(tokens, 32, 35), sequential_batches),
        ("random batches", RandomBatches(tokens, 32, 35), random_batches),
    ):
        times = clock.compare(
            lambda ours=ours: deque(ours.epoch(0), 0),  # type: ignore[misc]
            lambda theirs=theirs: deque(theirs(ids, 32, 35), 0),  # type: ignore[misc]
        )
        rows.append(Row(name, *times, 20.0, f"{ours.num_batches(0):,} batches"))
    return rows
