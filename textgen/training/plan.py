"""How many steps the epochs or minutes of a training are, and how often it is judged.

Minutes become steps by a step that is timed before the first one, and by an evaluation of a small
piece; neither leaves a trace in the training.
"""

import logging
import math
import sys
import time
from itertools import islice

import torch

from textgen.config import Settings, TrainingConfig
from textgen.evaluation.perplexity import CONTEXT, Passage, evaluate_text
from textgen.model.language_model import LanguageModel
from textgen.model.precision import choose_dtype
from textgen.runs.progress import Plan, Position
from textgen.text.batches import Batches
from textgen.training.loop import steps_in_epochs, train_steps
from textgen.training.setup import Material, set_up

log = logging.getLogger(__name__)

ROWS = 32
"""Rows in which the held-out part is read during a training; at its end it is one."""

_EVALUATIONS = 10
"""Evaluations in a training that does not say --evaluate-every; fewer when they take long."""

_EVALUATING = 0.1
"""Share of --minutes that evaluations may take, unless it is less than one."""

_TIMED_SECONDS = 2.0
"""How long steps are timed that the plan is made from."""

_GLANCE_SECONDS = 0.5
"""How long they are where only the network's size depends on them."""

_PIECE = 10_000
"""Characters of the held-out part whose evaluation is timed, whatever its length."""


def make_plan(
    settings: Settings, material: Material, model: LanguageModel, batches: Batches
) -> Plan:
    """Turn epochs and minutes into steps; where both are set, the fewer steps count.

    Args:
        settings: all settings; epochs or minutes are set.
        material: what is learned and judged.
        model: the model that will be trained; it stays as it is.
        batches: what it will be trained on.
    """
    config = settings.training
    limits, evaluations = [], _EVALUATIONS
    if config.epochs is not None:
        limits.append(steps_in_epochs(batches, config.epochs))
    if config.minutes is not None:
        seconds = 60 * config.minutes
        per_step = seconds_per_step(*set_up(settings, material), config)
        per_evaluation = seconds_per_evaluation(model, material)
        affordable = int(_EVALUATING * seconds / (per_evaluation + 1e-9))
        evaluations = max(1, min(_EVALUATIONS, affordable))
        limits.append(max(1, int((seconds - evaluations * per_evaluation) / per_step)))
        dtype = choose_dtype(config.precision, model.parameters())
        log.info(
            "%g minutes are %s steps of %.0f ms here, in %s",
            config.minutes,
            f"{limits[-1]:,}",
            1000 * per_step,
            str(dtype).removeprefix("torch."),
        )
    total_steps = min(limits)
    return Plan(total_steps, config.evaluate_every or math.ceil(total_steps / evaluations))


def passes(settings: Settings, material: Material) -> float:
    """Return how often the settings' minutes are enough to go through the text."""
    config = settings.training
    model, batches, optimizer = set_up(settings, material)
    per_step = seconds_per_step(model, batches, optimizer, config, _GLANCE_SECONDS)
    return 60 * (config.minutes or 0.0) / per_step / batches.num_batches(0)


def seconds_per_step(
    model: LanguageModel,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    config: TrainingConfig,
    timed: float = _TIMED_SECONDS,
) -> float:
    """Return how long a step takes, timed for so many seconds; the model is used up by it."""
    steps = train_steps(model, batches, optimizer, config, sys.maxsize, Position())
    for step in islice(steps, 2):  # the first ones also make what later ones use again
        float(step.loss)
    began, count = time.monotonic(), 0
    while time.monotonic() - began < timed or count < 3:
        float(next(steps).loss)
        count += 1
    return (time.monotonic() - began) / count


def seconds_per_evaluation(model: LanguageModel, material: Material) -> float:
    """Return how long the held-out part takes to judge, reckoned from a piece of it."""
    text = material.held_out_text
    if not text:
        return 0.0
    piece = text[:_PIECE]
    passage = Passage.of(material.vocab, piece, material.training_text)
    began = time.monotonic()
    evaluate_text(model, passage, ROWS)
    took = time.monotonic() - began
    of_piece, of_all = (len(part) + ROWS * CONTEXT for part in (piece, text))  # as much is read
    return took * of_all / of_piece
