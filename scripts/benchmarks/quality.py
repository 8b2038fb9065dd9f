"""Held-out bits for a budget of processor seconds: what the default recipe makes of electricity."""

import argparse
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from textgen.config import Settings
from textgen.evaluation.mixture import Figures, evaluate_text
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.reading.corpus import read_corpus
from textgen.runs.progress import JUDGED, Position
from textgen.training.loop import steps_in_epochs
from textgen.training.recipe import complete
from textgen.training.setup import set_up
from textgen.training.texts import Text

MARKS = 10
"""Judgements on the way; their time is not counted."""

TRIALS = 100
"""Steps that tell how long one takes."""


@dataclass(frozen=True)
class Mark:
    """Where a training stood, and what the held-out part came to."""

    spent: float
    """Processor seconds."""

    steps: int
    epochs: float
    figures: Figures


def quality(novel: Path, seconds: float, settings: Settings) -> None:
    """Train on all but the last tenth of a novel, on one thread, and print bits over time."""
    source = Text.of(read_corpus([novel]), settings)
    others = count_yardsticks(*source.parts)
    kneser_ney, trigram = (one.bits_per_character for one in (others.kneser_ney, others.trigram))
    print(f"{novel}: Kneser-Ney {kneser_ney:.3f} bits, trigram {trigram:.3f}")
    print("seconds   steps   epochs   bits per character held out: the network; with counts; all")
    for mark in marks(source, settings, seconds):
        print(
            f"{mark.spent:7.0f} {mark.steps:7,} {mark.epochs:8.2f}{_bits(mark.figures)}",
            flush=True,
        )


def marks(
    source: Text, settings: Settings, seconds: float, *, whole: bool = False
) -> Iterator[Mark]:
    """Train for so many processor seconds, and judge on the way.

    Args:
        source: what is learned from.
        settings: all settings; what they leave open is chosen as a training does.
        seconds: of the processor, counting included and judging not.
        whole: judge as much on the way as at the end.
    """
    material = source.material(None, JUDGED)
    passage = material.held_out
    assert passage is not None  # noqa: S101 - the usual tenth

    def seconds_of_step(settings: Settings) -> float:
        learner = set_up(settings, material)
        began = time.process_time()
        for _ in islice(learner.steps(sys.maxsize, Position()), TRIALS):
            pass
        return (time.process_time() - began) / TRIALS

    def passes(settings: Settings) -> float:
        batches = set_up(settings, material).batches
        return seconds / seconds_of_step(settings) / batches.num_batches(0)

    began = time.process_time()
    if settings.model.counts:
        _ = material.learned  # counting is paid for, too
    counted = time.process_time() - began
    pretrained = source.beginning is not None
    settings, chosen = complete(settings, source.length, passes, pretrained=pretrained)
    print(chosen, flush=True)
    learner = set_up(settings, material)
    batches = learner.batches
    most = steps_in_epochs(batches, settings.training.epochs or math.inf)
    per_step, spent, position = seconds_of_step(settings), counted, Position()
    for mark in range(MARKS):
        # Planned anew, so that the budget is kept when the processor slows down.
        left = max(1, min(most - position.step, int((seconds - spent) / per_step)))
        total, now = position.step + left, -(-left // (MARKS - mark))
        began = time.process_time()
        for step in islice(learner.steps(total, position), now):
            position = step.position
        spent += time.process_time() - began
        per_step = spent / position.step
        last = whole or position.step == total
        found = evaluate_text(
            learner.model,
            passage,
            learner.counts,
            material.at_the_end if last else material.on_the_way,
            material.heard if settings.model.counts else None,
        )
        yield Mark(spent, position.step, position.step / batches.num_batches(0), found)
        if position.step == most:
            return


def _bits(figures: Figures) -> str:
    parts = [figures.network, figures.static, figures.mixed]
    bits = [part.bits_per_character for part in parts if part is not None]
    return "".join(f"{one:9.4f}" for one in bits) + f" ({bits[-1] * math.log(2):.4f} nats)"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench quality", description=__doc__)
    parser.add_argument("novel", type=Path)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--no-counts", action="store_true", help="the network alone")
    parser.add_argument("--characters", type=int, help="only so many, from the beginning")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    settings = Settings.of(
        minutes=chosen.seconds / 60, counts=not chosen.no_counts, max_tokens=chosen.characters
    )
    quality(chosen.novel, chosen.seconds, settings)
