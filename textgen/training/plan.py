"""How many steps the epochs or minutes of a training are, and how often it is judged.

Minutes become steps by a step that is timed before the first one, and by an evaluation of a few
tokens; neither leaves a trace in the training.
"""

import logging
import math
import sys
import time
from itertools import islice

import torch

from textgen.config import Settings
from textgen.evaluation.mixture import evaluate_text
from textgen.evaluation.perplexity import CONTEXT, read
from textgen.evaluation.sample import ROWS, Sample
from textgen.model.precision import choose_dtype
from textgen.runs.progress import Plan, Position
from textgen.training.loop import steps_in_epochs
from textgen.training.setup import Learner, Material, set_up

log = logging.getLogger(__name__)

_EVALUATIONS = 10
"""Evaluations in a training that does not say --evaluate-every; fewer when they take long."""

_EVALUATING = 0.1
"""Share of --minutes that evaluations may take, unless it is less than one."""

_TIMED_SECONDS = 1.0
"""How long steps are timed that the plan is made from."""

_GLANCE_SECONDS = 0.5
"""How long they are where only the network's size depends on them."""

_TIMED_TOKENS = 1000
"""Tokens of the held-out part whose evaluation is timed, whatever its length."""


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
    evaluate_every = config.evaluate_every or math.ceil(total_steps / evaluations)
    return Plan(total_steps, evaluate_every, material.counted, material.judged)


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
    """Return how long an evaluation takes, reckoned from that of a few tokens."""
    passage, counts = material.held_out, learner.counts
    if passage is None:
        return 0.0
    few = Sample.of(passage.count, ROWS, _TIMED_TOKENS)
    sample = material.on_the_way
    times_read = (CONTEXT + sample.length) / (CONTEXT + few.length)
    heard = None if counts is None else material.heard
    began = time.monotonic()
    evaluate_text(learner.model, passage, counts, few, heard)
    took = time.monotonic() - began
    if counts is None:
        return took * times_read
    began = time.monotonic()
    with torch.inference_mode():
        for _ in read(learner.model, passage, few):
            pass
    reads = time.monotonic() - began
    times_judged = sample.length / sample.every / few.length
    return reads * times_read + max(0.0, took - reads) * times_judged
