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

from textgen.config import Settings
from textgen.evaluation.mixture import evaluate_text
from textgen.evaluation.perplexity import CONTEXT, Passage, read
from textgen.model.precision import choose_dtype
from textgen.runs.progress import Plan, Position
from textgen.training.loop import steps_in_epochs
from textgen.training.setup import Learner, Material, set_up

log = logging.getLogger(__name__)

ROWS = 32
"""Rows in which the held-out part is read during a training; at its end it is one."""

SAMPLE = 10_000
"""Tokens of it that are judged with counts during a training; at its end it is all."""

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


def make_plan(settings: Settings, material: Material, learner: Learner) -> Plan:
    """Turn epochs and minutes into steps; where both are set, the fewer steps count.

    Args:
        settings: all settings; epochs or minutes are set.
        material: what is learned and judged.
        learner: what will be trained; it stays as it is.
    """
    config = settings.training
    limits, evaluations = [], _EVALUATIONS
    if config.epochs is not None:
        limits.append(steps_in_epochs(learner.batches, config.epochs))
    if config.minutes is not None:
        seconds = 60 * config.minutes
        per_step = seconds_per_step(set_up(settings, material))
        per_evaluation = seconds_per_evaluation(learner, material)
        affordable = int(_EVALUATING * seconds / (per_evaluation + 1e-9))
        evaluations = max(1, min(_EVALUATIONS, affordable))
        limits.append(max(1, int((seconds - evaluations * per_evaluation) / per_step)))
        dtype = choose_dtype(config.precision, learner.model.parameters())
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
    learner = set_up(settings, material)
    per_step = seconds_per_step(learner, _GLANCE_SECONDS)
    return 60 * (settings.training.minutes or 0.0) / per_step / learner.batches.num_batches(0)


def seconds_per_step(learner: Learner, timed: float = _TIMED_SECONDS) -> float:
    """Return how long a step takes, timed for so many seconds; the learner is used up by it."""
    steps = learner.steps(sys.maxsize, Position())
    for step in islice(steps, 2):  # the first ones also make what later ones use again
        float(step.loss)
    began, count = time.monotonic(), 0
    while time.monotonic() - began < timed or count < 3:
        float(next(steps).loss)
        count += 1
    return (time.monotonic() - began) / count


def seconds_per_evaluation(learner: Learner, material: Material) -> float:
    """Return how long the held-out part takes to judge, reckoned from a piece of it."""
    text = material.held_out_text
    if not text:
        return 0.0
    piece = text[:_PIECE]
    passage = Passage.of(material.vocab, piece, material.training_text)
    of_piece, of_all = (len(part) + ROWS * CONTEXT for part in (piece, text))  # as much is read
    began = time.monotonic()
    evaluate_text(learner.model, passage, learner.counts, ROWS, SAMPLE)
    took = time.monotonic() - began
    if learner.counts is None:
        return took * of_all / of_piece
    began = time.monotonic()  # with counts, no more is judged than of the piece; the rest is read
    with torch.inference_mode():
        for _ in read(learner.model, passage, ROWS):
            pass
    return took + (time.monotonic() - began) * (of_all / of_piece - 1)
