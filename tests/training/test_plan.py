"""From epochs and minutes to steps; what is timed for it costs little and leaves no trace."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.conftest import TINY, make_story
from textgen.config import Settings
from textgen.evaluation.perplexity import CONTEXT
from textgen.evaluation.sample import ROWS
from textgen.text.vocab import Vocab
from textgen.training.plan import make_plan, passes, seconds_per_evaluation
from textgen.training.setup import Material, set_up

TEXT = make_story(3000)
VOCAB = Vocab.build(TEXT)
SETTINGS = Settings.of(**{**TINY, "epochs": 3.0})


def material(held_out: int = 500) -> Material:
    return Material.of(VOCAB, TEXT, (TEXT * (1 + held_out // len(TEXT)))[:held_out])


def test_the_evaluation_of_a_long_text_is_reckoned_from_few_tokens() -> None:
    long = material(200_000)
    learner = set_up(SETTINGS, long)
    read = 0

    def count(_: nn.Module, inputs: tuple[Tensor, ...], __: object) -> None:
        nonlocal read
        read += inputs[0].shape[0] * inputs[0].shape[1]

    learner.model.get_submodule("rnn").register_forward_hook(count)
    seconds = seconds_per_evaluation(learner, long)
    assert seconds > 0
    assert read <= 2 * (1000 + ROWS * (CONTEXT + 1))  # by the network alone, and with counts
    assert seconds_per_evaluation(learner, material(0)) == 0


def test_epochs_are_counted_and_minutes_timed_and_the_fewer_steps_count() -> None:
    given = material()
    learner = set_up(SETTINGS, given)
    assert learner.counts is not None
    parameters = [*learner.model.parameters(), *learner.counts.product.parameters()]
    before = [parameter.clone() for parameter in parameters]
    by_epochs = make_plan(SETTINGS, given, learner)
    assert by_epochs.total_steps == pytest.approx(3 * learner.batches.num_batches(0), abs=3)
    assert by_epochs.evaluate_every == -(-by_epochs.total_steps // 10)
    hour = SETTINGS.with_length(3.0, 60.0)
    assert make_plan(hour, given, learner).total_steps == by_epochs.total_steps
    second = SETTINGS.with_length(1e6, 1 / 60)
    assert 1 < make_plan(second, given, learner).total_steps < 100_000
    assert all(map(torch.equal, before, parameters))


def test_twice_the_minutes_are_twice_the_passes() -> None:
    short, long = (SETTINGS.with_length(None, minutes) for minutes in (1.0, 100.0))
    assert 0 < passes(short, material()) < passes(long, material())
    huge = replace(SETTINGS, training=replace(SETTINGS.training, minutes=1e-9))
    assert 0 < passes(huge, material()) < 1
