"""Every item once an epoch, whole, and with a fresh state."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textgen.text.item_batches import PADDING, ItemBatches, Spans
from textgen.text.vocab import TokenIds

END = 7
ITEMS = st.lists(st.lists(st.integers(1, 6), max_size=25), min_size=1, max_size=40)
SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 8))


def ids(items: list[list[int]]) -> TokenIds:
    return np.array([END, *(token for item in items for token in (*item, END))], np.int32)


def make(items: list[list[int]], shape: tuple[int, int] = (3, 6), seed: int = 0) -> ItemBatches:
    tokens = ids(items)
    return ItemBatches(torch.from_numpy(tokens), Spans.of(tokens, END), *shape, seed)


def rows_of(batches: ItemBatches, epoch: int) -> list[tuple[list[int], list[int]]]:
    """Return what is read and what comes next of every row, from a fresh state to the next one."""
    found: list[tuple[list[int], list[int]]] = []
    rows: list[tuple[list[int], list[int]]] = []
    for number, (x, y) in enumerate(batches.epoch(epoch)):
        if not batches.goes_on(epoch, number):
            found += rows
            rows = [([], []) for _ in range(len(x))]
        assert x.shape == y.shape
        assert x.shape[0] == len(rows)
        for (read, following), inputs, targets in zip(rows, x.tolist(), y.tolist(), strict=True):
            there = [target for target in targets if target != PADDING]
            assert targets[: len(there)] == there  # a row ends once
            read.extend(inputs[: len(there)])
            following.extend(there)
    return found + rows


@given(ITEMS, SHAPES, st.integers(0, 3))
def test_every_item_comes_once_whole(
    items: list[list[int]], shape: tuple[int, int], epoch: int
) -> None:
    rows = rows_of(make(items, shape), epoch)
    assert all(read == [END, *following[:-1]] for read, following in rows)
    assert sorted(following for _, following in rows) == sorted([*item, END] for item in items)


@given(ITEMS, SHAPES, st.integers(0, 3))
def test_a_batch_is_no_larger_than_one_of_a_text(
    items: list[list[int]], shape: tuple[int, int], epoch: int
) -> None:
    batches = make(items, shape)
    assert batches.num_batches(epoch) == batches.num_batches(0)
    every = list(batches.epoch(epoch))
    assert len(every) == batches.num_batches(epoch)
    for x, y in every:
        assert x.shape[1] <= shape[1]
        assert x.numel() <= shape[0] * shape[1]
        assert (y != PADDING).any()
    assert not batches.goes_on(epoch, 0)
    assert not batches.goes_on(epoch, len(every))


def test_short_items_fill_a_batch_with_rows() -> None:
    every = list(make([[1, 2, 3]] * 100, (16, 32)).epoch(0))
    assert [x.shape for x, _ in every] == [(100, 4)]
    every = list(make([[1]] * 32 + [[1, 2, 3]] * 32, (4, 16)).epoch(0))
    assert sorted(x.shape for x, _ in every) == [(16, 4), (16, 4), (32, 2)]


def test_an_epoch_follows_from_seed_and_number_and_goes_on_in_its_middle() -> None:
    items = [[number % 6 + 1] * (number % 20) for number in range(60)]
    batches = make(items)
    order = [rows_of(make(items, seed=seed), epoch) for seed, epoch in ((0, 1), (0, 1), (0, 2))]
    assert order[0] == order[1] != order[2]
    assert order[0] != rows_of(make(items, seed=1), 1)
    whole = list(batches.epoch(2))
    for start in range(len(whole) + 1):
        rest = list(batches.epoch(2, start))
        assert len(rest) == len(whole) - start
        for ours, theirs in zip(rest, whole[start:], strict=True):
            assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("length", [32, 33, 65])
def test_long_items_share_their_columns_evenly(length: int) -> None:
    every = list(make([[1] * (length - 1)], (2, 32)).epoch(0))
    widths = [x.shape[1] for x, _ in every]
    assert sum(widths) == length
    assert len(widths) == -(-length // 32)
    assert max(widths) - min(widths) <= 1


def test_the_last_item_may_be_open() -> None:
    tokens = np.array([END, 1, 2, END, 3], np.int32)
    spans = Spans.of(tokens, END)
    assert spans.begins.tolist() == [0, 3]
    assert spans.lengths.tolist() == [3, 1]
