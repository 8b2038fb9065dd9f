from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textgen.errors import TextgenError
from textgen.text.batches import RandomBatches, SequentialBatches, TextBatches
from textgen.text.tokens import PlacesAsTokens

# The tokens are their own positions, so a batch tells where it was cut from.
SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(0, 200))
EPOCHS = st.tuples(st.integers(0, 3), st.integers(0, 3))


def make(kind: type[TextBatches], shape: tuple[int, int, int], seed: int) -> TextBatches:
    batch_size, num_steps, extra = shape
    length = batch_size * num_steps + num_steps + 1 + extra
    return kind(np.arange(length, dtype=np.int32), batch_size, num_steps, seed)


@pytest.mark.parametrize("kind", [RandomBatches, SequentialBatches])
@given(shape=SHAPES, numbers=EPOCHS)
def test_y_is_x_one_later(
    kind: type[TextBatches], shape: tuple[int, int, int], numbers: tuple[int, int]
) -> None:
    batches = make(kind, shape, numbers[0])
    epoch = list(batches.epoch(numbers[1]))
    assert len(epoch) == batches.num_batches(numbers[1]) > 0
    for x, y in epoch:
        assert x.shape == y.shape
        assert x.shape[1] == shape[1]
        assert torch.equal(x + 1, y)
        assert torch.equal(x[:, 1:], y[:, :-1])


@given(shape=SHAPES, numbers=EPOCHS)
def test_a_random_epoch_covers_each_start_once(
    shape: tuple[int, int, int], numbers: tuple[int, int]
) -> None:
    batches = make(RandomBatches, shape, numbers[0])
    starts = torch.cat([x[:, 0] for x, _ in batches.epoch(numbers[1])]).sort().values
    offset, num_steps = int(starts[0]), shape[1]
    assert 0 <= offset < num_steps
    count = (len(batches.tokens) - offset - 1) // num_steps
    assert starts.tolist() == [offset + i * num_steps for i in range(count)]


@given(shape=SHAPES, numbers=EPOCHS)
def test_a_row_of_a_sequential_batch_continues_the_row_before(
    shape: tuple[int, int, int], numbers: tuple[int, int]
) -> None:
    batches = make(SequentialBatches, shape, numbers[0])
    epoch = list(batches.epoch(numbers[1]))
    assert 0 <= int(epoch[0][0][0, 0]) <= shape[1]
    assert all(x.shape == shape[:2] for x, _ in epoch)
    for (_, y), (x, _) in pairwise(epoch):
        assert torch.equal(y[:, -1], x[:, 0])


@pytest.mark.parametrize("kind", [RandomBatches, SequentialBatches])
def test_an_epoch_follows_from_seed_and_number(kind: type[TextBatches]) -> None:
    shape = (4, 5, 400)
    epochs = [
        torch.cat([x for x, _ in make(kind, shape, seed).epoch(epoch)]).flatten().tolist()
        for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0))
    ]
    assert epochs[0] == epochs[1]
    assert len({tuple(epoch) for epoch in epochs}) == 3


@pytest.mark.parametrize("kind", [RandomBatches, SequentialBatches])
def test_an_epoch_goes_on_in_its_middle(kind: type[TextBatches]) -> None:
    batches = make(kind, (3, 4, 100), 0)
    whole, rest = list(batches.epoch(2)), list(batches.epoch(2, start=3))
    assert len(rest) == len(whole) - 3
    assert all(torch.equal(a[0], b[0]) for a, b in zip(whole[3:], rest, strict=True))


def test_start_offsets_are_uniform() -> None:
    batches = SequentialBatches(np.arange(100, dtype=np.int32), 2, 5)
    offsets = [int(next(batches.epoch(epoch))[0][0, 0]) for epoch in range(300)]
    assert set(offsets) == set(range(6))


@pytest.mark.parametrize("kind", [RandomBatches, SequentialBatches])
def test_places_come_before_tokens(kind: type[TextBatches]) -> None:
    tokens = np.random.default_rng(0).integers(1000, size=300, dtype=np.int32)
    looked_up = kind(tokens, 3, 4).epoch(5, start=2)
    places = kind(PlacesAsTokens(len(tokens)), 3, 4).epoch(5, start=2)
    for batch, where in zip(looked_up, places, strict=True):
        for found, at in zip(batch, where, strict=True):
            assert torch.equal(found, torch.from_numpy(tokens)[at])


def test_the_order_of_a_very_long_text_is_computed_batch_by_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("textgen.text.batches._MANY", 10)
    batches = RandomBatches(np.arange(1000, dtype=np.int32), 4, 5)
    starts = torch.cat([x[:, 0] for x, _ in batches.epoch(0)])
    assert len(starts.unique()) == len(starts) >= 1000 // 5 - 2
    assert starts.tolist() != starts.sort().values.tolist()
    other = torch.cat([x[:, 0] for x, _ in batches.epoch(1)])
    assert other.tolist() != starts.tolist()


def test_state_is_carried_where_rows_go_on() -> None:
    assert SequentialBatches.carries_state
    assert not RandomBatches.carries_state


@pytest.mark.parametrize("kind", [RandomBatches, SequentialBatches])
def test_a_text_too_short_is_refused_with_the_length_it_needs(kind: type[TextBatches]) -> None:
    needed = 4 * 5 + (5 if kind is SequentialBatches else 4) + 1
    for epoch in range(20):
        batches = kind(np.arange(needed, dtype=np.int32), 4, 5)
        assert batches.num_batches(epoch) >= 1
    with pytest.raises(TextgenError, match=rf"^{needed - 1} tokens.* needs {needed}$"):
        kind(np.arange(needed - 1, dtype=np.int32), 4, 5)
