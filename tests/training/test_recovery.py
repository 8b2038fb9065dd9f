"""Steps that come to no number are left out, or gone back from, once."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tests.conftest import TINY, copy_run, make_model
from textgen.config import Settings
from textgen.errors import TextgenError
from textgen.model.state import State
from textgen.runs.folder import Run
from textgen.runs.progress import Position
from textgen.text.batches import POLICIES
from textgen.training.loop import make_optimizer, train_steps
from textgen.training.recovery import MOST, NotFiniteError
from textgen.training.start import resume


class Spoiled:
    """A model of which some batches' losses are no number."""

    def __init__(self, bad: set[int]) -> None:
        self.model = make_model(5)
        self.bad, self.seen = bad, 0

    def loss(self, x: Tensor, y: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Return the loss, or one that spoils every weight."""
        self.seen += 1
        loss, state = self.model.loss(x, y, state)
        return (loss * math.nan if self.seen in self.bad else loss), state

    def parameters(self) -> Iterator[nn.Parameter]:
        """Return the model's."""
        return self.model.parameters()

    def train(self) -> None:
        """Turn dropout on."""
        self.model.train()


def batches_seen(bad: set[int], steps: int) -> tuple[list[int], Spoiled]:
    config = Settings.of(**TINY).training
    tokens = torch.arange(2000) % 5
    model = Spoiled(bad)
    optimizer = make_optimizer(model, config)
    batches = POLICIES["sequential"](tokens, 4, 16, 0)
    done = train_steps(model, batches, optimizer, config, steps, Position())
    return [step.position.batch for step in done], model


def test_a_batch_that_comes_to_no_number_is_passed_over() -> None:
    seen, model = batches_seen({3, 4}, 8)
    assert seen == [1, 2, 5, 6, 7, 8, 9, 10]
    assert all(p.isfinite().all() for p in model.parameters())
    never, same = batches_seen(set(), 2)
    stopped, spoiled = batches_seen({3}, 2)
    assert never == stopped
    for ours, theirs in zip(same.parameters(), spoiled.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_after_ten_in_a_row_it_is_given_up() -> None:
    bad = set(range(3, 3 + MOST))
    with pytest.raises(NotFiniteError, match="at step 3, 10 batches in a row"):
        batches_seen(bad, 20)
    assert len(batches_seen(bad - {5}, 12)[0]) == 12


@pytest.mark.usefixtures("in_folder")
def test_it_goes_back_once_with_half_the_learning_rate(
    tiny_run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    run = copy_run(tiny_run, "wild")
    good = load_file(run.last)
    settings = Settings.of(**TINY)
    wild = replace(
        settings.training,
        optimizer="sgd",
        learning_rate=1e30,
        clip=1e30,
        schedule="constant",
        warmup=0.0,
    )
    for _ in range(2):
        with pytest.raises(TextgenError, match=r"was halved; the last good checkpoint is kept in"):
            resume(run, replace(settings, training=wild))
    assert caplog.text.count("with half the learning rate, 5e+29") == 1
    assert json.loads((run.folder / "config.json").read_text())["learning_rate_halved_because"]
    assert all(torch.equal(good[name], value) for name, value in load_file(run.last).items())
    assert resume(Run(run.folder), settings).tokens > 0
