"""Held-out bits for a budget of processor seconds: what the default recipe makes of electricity."""

import argparse
import math
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch

from textgen.batches import POLICIES, TextBatches
from textgen.checkpoint import split_text
from textgen.config import CorpusConfig, Settings
from textgen.corpus import read_corpus
from textgen.evaluation import evaluate_text, evaluate_trigram
from textgen.models import LanguageModel, build_model
from textgen.recipe import complete
from textgen.training import Position, Step, make_optimizer, steps_in_epochs, train_steps
from textgen.vocab import Vocab

MARKS = 10
"""Judgements on the way; their time is not counted."""

TRIALS = 100
"""Steps that tell how long one takes."""


def quality(novel: Path, seconds: float) -> None:
    """Train on all but the last tenth of a novel, on one thread, and print bits over time."""
    text = read_corpus([novel]).text
    training_text, held_out_text = split_text(text, CorpusConfig().held_out)
    vocab = Vocab.build(text)
    tokens = torch.from_numpy(vocab.encode(training_text))

    def begin(settings: Settings, total: int) -> tuple[LanguageModel, Iterator[Step]]:
        torch.manual_seed(settings.training.seed)
        model = build_model(len(vocab), settings.model)
        model.expect(tokens)
        optimizer = make_optimizer(model, settings.training)
        batches = batches_of(settings)
        return model, train_steps(model, batches, optimizer, settings.training, total, Position())

    def batches_of(settings: Settings) -> TextBatches:
        config = settings.training
        return POLICIES[config.batches](tokens, config.batch_size, config.num_steps, config.seed)

    def affordable(settings: Settings) -> int:
        """Return the number of steps in so many seconds."""
        _, steps = begin(settings, 10 * TRIALS)
        began = time.process_time()
        for _ in islice(steps, TRIALS):
            pass
        return int(seconds * TRIALS / (time.process_time() - began))

    def passes(settings: Settings) -> float:
        return affordable(settings) / batches_of(settings).num_batches(0)

    settings, chosen = complete(Settings.of(minutes=seconds / 60), len(training_text), passes)
    epochs = settings.training.epochs or math.inf
    total = min(affordable(settings), steps_in_epochs(batches_of(settings), epochs))
    trigram = evaluate_trigram(training_text, held_out_text).bits_per_character
    print(f"{novel}: {chosen}")
    print(f"{seconds:g} processor seconds are {total:,} steps; trigram {trigram:.3f} bits")
    print("seconds   epochs   bits per character held out")
    model, steps = begin(settings, total)
    spent, began = 0.0, time.process_time()
    for step in steps:
        done = step.position.step
        if done % -(-total // MARKS) and done < total:
            continue
        spent += time.process_time() - began
        rows = 1 if done == total else 16
        found = evaluate_text(model, vocab, held_out_text, training_text, rows)
        bits = found.bits_per_character
        epochs = done / batches_of(settings).num_batches(0)
        print(f"{spent:7.0f} {epochs:8.2f} {bits:9.4f} ({bits * math.log(2):.4f} nats)", flush=True)
        began = time.process_time()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench quality", description=__doc__)
    parser.add_argument("novel", type=Path)
    parser.add_argument("--seconds", type=float, default=300.0)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    quality(chosen.novel, chosen.seconds)
