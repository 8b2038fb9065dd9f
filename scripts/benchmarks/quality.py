"""Held-out bits for a budget of processor seconds: what the default recipe makes of electricity."""

import argparse
import math
import sys
import time
from itertools import islice
from pathlib import Path

import torch

from textgen.config import CorpusConfig, Settings
from textgen.evaluation.mixture import Figures, evaluate_text
from textgen.evaluation.perplexity import Passage
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.reading.corpus import read_corpus
from textgen.runs.folder import split_text
from textgen.runs.progress import Position
from textgen.text.vocab import Vocab
from textgen.training.loop import steps_in_epochs
from textgen.training.recipe import complete
from textgen.training.setup import Material, set_up

MARKS = 10
"""Judgements on the way; their time is not counted."""

TRIALS = 100
"""Steps that tell how long one takes."""


def quality(novel: Path, seconds: float, settings: Settings, characters: int | None) -> None:
    """Train on all but the last tenth of a novel, on one thread, and print bits over time."""
    text = read_corpus([novel]).text[:characters]
    training_text, held_out_text = split_text(text, CorpusConfig().held_out)
    vocab = Vocab.build(text)
    material = Material.of(vocab, training_text, held_out_text)
    passage = Passage.of(vocab, held_out_text, training_text)

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
    settings, chosen = complete(settings, len(training_text), passes)
    others = count_yardsticks(training_text, held_out_text)
    kneser_ney, trigram = (one.bits_per_character for one in (others.kneser_ney, others.trigram))
    print(f"{novel}: {chosen}; Kneser-Ney {kneser_ney:.3f} bits, trigram {trigram:.3f}")
    print("seconds   steps   epochs   bits per character held out: the network; with counts; all")
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
        last = position.step == total
        found = evaluate_text(
            learner.model,
            passage,
            learner.counts,
            material.at_the_end if last else material.on_the_way,
            material.heard if settings.model.counts else None,
        )
        epochs = position.step / batches.num_batches(0)
        print(
            f"{spent:7.0f} {position.step:7,} {epochs:8.2f}{_bits(found)}",
            flush=True,
        )


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
    settings = Settings.of(minutes=chosen.seconds / 60, counts=not chosen.no_counts)
    quality(chosen.novel, chosen.seconds, settings, chosen.characters)
