"""How many steps the epochs or minutes of a training are, and how often it is judged.

Minutes are a budget, and how many steps that makes is planned anew all the time (agenda.py). Here
it is reckoned for the first time, by steps that are timed before the first one, and by an
evaluation of a few tokens; neither leaves a trace in the training.
"""

import logging
import math
import sys
import time
from itertools import islice
from statistics import median

import torch

from textgen.config import Settings
from textgen.evaluation.mixture import evaluate_text
from textgen.evaluation.perplexity import CONTEXT, read
from textgen.evaluation.sample import ROWS, Sample
from textgen.language import _
from textgen.model.precision import choose_dtype
from textgen.runs.progress import Plan, Position
from textgen.training.agenda import EVALUATIONS, evaluations_within
from textgen.training.loop import steps_in_epochs
from textgen.training.setup import Learner, Material, set_up

log = logging.getLogger(__name__)

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
    most = None if config.epochs is None else steps_in_epochs(learner.batches, config.epochs)
    if config.minutes is None:
        total_steps = most or 1
        evaluate_every = config.evaluate_every or math.ceil(total_steps / EVALUATIONS)
        return Plan(total_steps, evaluate_every, material.counted, material.judged)
    budget = 60 * config.minutes
    per_step = seconds_per_step(set_up(settings, material))
    judging = seconds_per_evaluation(learner, material)
    ending = seconds_per_evaluation(learner, material, material.at_the_end)
    evaluations = evaluations_within(budget, judging)
    possible = max(1, int((budget - evaluations * judging) / per_step))
    total_steps = possible if most is None else min(possible, most)
    dtype = choose_dtype(config.precision, learner.model.parameters())
    one = config.minutes == 1
    minutes = _("1 minute") if one else _("{count:g} minutes").format(count=config.minutes)
    more = _(". Judging the end takes about {seconds:.0f} s more").format(seconds=ending)
    log.info(
        "%s: %s steps (%.3g epochs) of %.0f ms in %s, about %.0f s; how many they become "
        "goes by the clock%s",
        minutes,
        f"{total_steps:,}",
        total_steps / learner.batches.num_batches(0),
        1000 * per_step,
        str(dtype).removeprefix("torch."),
        total_steps * per_step + evaluations * judging,
        more if ending >= 0.5 else "",
    )
    return Plan(
        total_steps,
        config.evaluate_every or math.ceil(total_steps / evaluations),
        material.counted,
        material.judged,
        planned=total_steps,
        budget=budget,
        by_steps=config.evaluate_every is not None,
        per_step=per_step,
        judging=judging,
        most=most,
    )


def passes(settings: Settings, material: Material) -> float:
    """Return how often the settings' minutes are enough to go through the text."""
    learner = set_up(settings, material)
    per_step = seconds_per_step(learner, _GLANCE_SECONDS)
    return 60 * (settings.training.minutes or 0.0) / per_step / learner.batches.num_batches(0)


def seconds_per_step(learner: Learner, timed: float = _TIMED_SECONDS) -> float:
    """Return how long a step takes, timed for so many seconds; the learner is used up by it.

    That of the middle one: a pause of the whole process falls into few of them.
    """
    steps = learner.steps(sys.maxsize, Position())
    for step in islice(steps, 2):  # the first ones also make what later ones use again
        float(step.loss)
    began, took = time.perf_counter(), list[float]()
    while time.perf_counter() - began < timed or len(took) < 3:
        since = time.perf_counter()
        float(next(steps).loss)
        took.append(time.perf_counter() - since)
    return median(took)


def seconds_per_evaluation(
    learner: Learner, material: Material, sample: Sample | None = None
) -> float:
    """Return how long an evaluation takes, reckoned from that of a few tokens.

    Args:
        learner: whose model is judged.
        material: has the held-out part.
        sample: what of it is judged; as on the way when not given.
    """
    passage, counts = material.held_out, learner.counts
    if passage is None:
        return 0.0
    few = Sample.of(passage.count, ROWS, _TIMED_TOKENS)
    sample = sample or material.on_the_way
    read_of = (one.rows * (CONTEXT + one.length) for one in (sample, few))
    times_read = next(read_of) / next(read_of)
    heard = None if counts is None else material.heard
    began = time.perf_counter()
    evaluate_text(learner.model, passage, counts, few, heard)
    took = time.perf_counter() - began
    if counts is None:
        return took * times_read
    began = time.perf_counter()
    with torch.inference_mode():
        for _ in read(learner.model, passage, few):
            pass
    reads = time.perf_counter() - began
    times_judged = len(sample.places) / sample.every / len(few.places)
    return reads * times_read + max(0.0, took - reads) * times_judged
