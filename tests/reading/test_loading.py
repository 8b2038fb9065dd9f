"""From a file to batches and their vocabulary, as a loop written by hand wants them."""

from pathlib import Path
from typing import Literal

import pytest
import torch

import textgen
from textgen.reading.loading import load_batches
from textgen.text.batches import TooShortError


@pytest.mark.parametrize("order", ["sequential", "random"])
def test_every_pass_is_the_next_epoch(story: Path, order: Literal["sequential", "random"]) -> None:
    batches, vocab = load_batches(story, 4, 16, order, max_tokens=1000, seed=3)
    assert len(batches.tokens) == 1000
    assert len(vocab) == len(set(story.read_text("utf-8")[:1000])) + 1
    for epoch in range(3):
        found = list(batches)
        expected = list(batches.epoch(epoch))
        assert len(found) == len(expected) == batches.num_batches(epoch)
        for (x, y), (same_x, same_y) in zip(found, expected, strict=True):
            assert torch.equal(x, same_x)
            assert torch.equal(y, same_y)
            assert torch.equal(x[:, 1:], y[:, :-1])


def test_words_and_a_text_that_is_too_short(story: Path) -> None:
    batches, vocab = load_batches(str(story), 4, 16, tokens="word")
    assert vocab.kind == "word"
    assert len(batches.tokens) < 4000
    with pytest.raises(TooShortError, match="100 tokens to train on"):
        load_batches(story, 32, 35, max_tokens=100)


def test_a_loop_by_hand_learns(story: Path) -> None:
    """Document A's training, from what textgen exports alone."""
    torch.manual_seed(0)
    batches, vocab = textgen.load_batches(story, batch_size=8, num_steps=20)
    model = textgen.RNNModel.from_layer(torch.nn.GRU(len(vocab), 32), len(vocab))
    optimizer = textgen.SGD(model.parameters(), lr=2.0)
    losses = []
    for _ in range(8):
        state = None
        for x, y in batches:
            state = state and tuple(part.detach() for part in state)
            loss, state = model.loss(x, y, state)
            optimizer.zero_grad()
            loss.backward()
            textgen.clip_gradients(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
