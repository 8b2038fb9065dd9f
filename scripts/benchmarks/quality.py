"""Held-out bits for a budget of processor seconds: what the default recipe makes of electricity."""

import argparse
import math
import time
from itertools import islice
from pathlib import Path

import torch

from textgen.config import CorpusConfig, Settings
from textgen.evaluation.perplexity import evaluate_text
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.runs.folder import split_text
from textgen.runs.progress import Position
from textgen.text.reading import read_corpus
from textgen.text.vocab import Vocab
from textgen.training.loop import steps_in_epochs, train_steps
from textgen.training.recipe import complete
from textgen.training.setup import Material, set_up

MARKS = 10
"""Judgements on the way; their time is not counted."""

TRIALS = 100
"""Steps that tell how long one takes."""


def quality(novel: Path, seconds: float) -> None:
    """Train on all but the last tenth of a novel, on one thread, and print bits over time."""
    text = read_corpus([novel]).text
    training_text, held_out_text = split_text(text, CorpusConfig().held_out)
    vocab = Vocab.build(text)
    material = Material(vocab, training_text, held_out_text)

    def seconds_of_step(settings: Settings) -> float:
        model, batches, optimizer = set_up(settings, material)
        began = time.process_time()
        for _ in train_steps(model, batches, optimizer, settings.training, TRIALS, Position()):
            pass
        return (time.process_time() - began) / TRIALS

    def passes(settings: Settings) -> float:
        _, batches, _ = set_up(settings, material)
        return seconds / seconds_of_step(settings) / batches.num_batches(0)

    settings, chosen = complete(Settings.of(minutes=seconds / 60), len(training_text), passes)
    counted = count_yardsticks(training_text, held_out_text)
    kneser_ney, trigram = (one.bits_per_character for one in (counted.kneser_ney, counted.trigram))
    print(f"{novel}: {chosen}; Kneser-Ney {kneser_ney:.3f} bits, trigram {trigram:.3f}")
    print("seconds   steps   epochs   bits per character held out")
    model, batches, optimizer = set_up(settings, material)
    most = steps_in_epochs(batches, settings.training.epochs or math.inf)
    per_step, spent, position = seconds_of_step(settings), 0.0, Position()
    for mark in range(MARKS):
        # Planned anew, so that the budget is kept when the processor slows down.
        left = max(1, min(most - position.step, int((seconds - spent) / per_step)))
        total, now = position.step + left, -(-left // (MARKS - mark))
        began = time.process_time()
        steps = train_steps(model, batches, optimizer, settings.training, total, position)
        for step in islice(steps, now):
            position = step.position
        spent += time.process_time() - began
        per_step = spent / position.step
        rows = 1 if position.step == total else 16
        found = evaluate_text(model, material.held_out, rows)
        bits = found.bits_per_character
        epochs = position.step / batches.num_batches(0)
        print(
            f"{spent:7.0f} {position.step:7,} {epochs:8.2f} {bits:9.4f} "
            f"({bits * math.log(2):.4f} nats)",
            flush=True,
        )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench quality", description=__doc__)
    parser.add_argument("novel", type=Path)
    parser.add_argument("--seconds", type=float, default=300.0)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    quality(chosen.novel, chosen.seconds)
