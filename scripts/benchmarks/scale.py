"""How much faster several processes on one machine train than one, one thread each."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextvars import Context
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median

import torch

from textgen.config import Settings
from textgen.reading.corpus import read_corpus
from textgen.runs.folder import split_text
from textgen.runs.progress import Position
from textgen.text.vocab import Vocab
from textgen.training.following import follow
from textgen.training.leading import dismiss
from textgen.training.loop import Step
from textgen.training.ranks import joined
from textgen.training.recipe import complete
from textgen.training.setup import Material, set_up
from textgen.training.world import World

STEPS = 16
"""Of each in a round: twice as many as the gate learns from one of."""


def measure(novel: Path, ranks: int, rounds: int, settings: Settings) -> None:
    """Train in turn alone, and together with the same batch and with as many rows each."""
    text = read_corpus([novel]).text
    training_text, held_out_text = split_text(text, settings.corpus)
    material = Material.of(Vocab.build(text), training_text, held_out_text)
    settings, _ = complete(settings, len(training_text), lambda _: 4.0)
    training, rows = settings.training, settings.training.rows
    larger = replace(settings, training=replace(training, batch_size=ranks * rows))
    both = f"{ranks} processes, a batch of"
    runs = {
        f"one process, a batch of {rows}": (Context(), settings, rows),
        f"{both} {rows}": (None, settings, rows),
        f"{both} {ranks * rows}": (None, larger, ranks * rows),
    }

    def steps(settings: Settings) -> Iterator[Step]:
        learner = set_up(settings, material)
        taken = learner.steps(sys.maxsize, Position())
        for _ in islice(taken, 3):  # the first ones also make what later ones use again
            pass
        return taken

    def seconds(settings: Settings) -> tuple[float, float]:
        taken = steps(settings)
        wall, cpu = time.perf_counter(), time.process_time()
        for step in islice(taken, STEPS):
            float(step.loss)
        return (time.perf_counter() - wall) / STEPS, (time.process_time() - cpu) / STEPS

    found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (context, one, _) in runs.items():
            # In a context of its own nobody knows of other ranks.
            took = seconds(one) if context is None else context.run(seconds, one)
            found[name].append(took)
    print(
        f"{novel}: hidden size {settings.model.resolved().hidden_size}, {rounds} rounds of {STEPS} "
        f"steps in turn; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':35} best and median of a step, CPU; characters a second; ratio of best, median")
    alone = None
    for name, (_, _, count) in runs.items():
        walls, cpus = ([took[which] for took in found[name]] for which in (0, 1))
        speeds = [count * training.num_steps / took for took in (min(walls), median(walls))]
        alone = alone or speeds
        best, middle = (speed / one for speed, one in zip(speeds, alone, strict=True))
        print(
            f"{name:35} {1e3 * min(walls):6.1f} {1e3 * median(walls):6.1f} ms, "
            f"{1e3 * median(cpus):5.1f} ms CPU; {speeds[0]:8,.0f}; {best:5.2f} x {middle:5.2f} x",
            flush=True,
        )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench scale", description=__doc__)
    parser.add_argument("novel", type=Path)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--hidden-size", type=int)
    parser.add_argument("--no-counts", action="store_true")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if (world := World.of(os.environ)) is None:
        script = [sys.argv[0], "scale", *arguments]
        torchrun = ["-m", "torch.distributed.run", f"--nproc-per-node={given.ranks}"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, *torchrun, *script]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603
    with joined(world, arguments) as ranks:
        if not ranks.is_first:
            follow(ranks)
            return
        settings = Settings.of(
            hidden_size=given.hidden_size, counts=not given.no_counts, epochs=1.0
        )
        try:
            measure(given.novel, ranks.size, given.rounds, settings)
        finally:
            dismiss(ranks)
