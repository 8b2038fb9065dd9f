"""What a small task is given, and what it gives back.

    Trial --task--> Finding

A task draws its examples, makes a network of the trial's layers, has it trained by the loop that
trains novels, and compares its answers with the right ones.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from textgen.bars import in_terminal, progress_bar
from textgen.config import Cell, Implementation, TrainingConfig
from textgen.model.framework import recurrent_layers
from textgen.runs.checkpoint import load_training, save_checkpoint
from textgen.runs.progress import Position, Progress
from textgen.runs.record import Entry, Record
from textgen.sanity.examples import Examples, ShuffledBatches
from textgen.sanity.network import Network
from textgen.sanity.problem import Problem
from textgen.training.loop import make_optimizer, train_steps
from textgen.training.meter import Meter

log = logging.getLogger(__name__)

_REPORTS = 25
"""Points on a curve, about; with --full twice as many, one for each epoch of addition."""

_TOLD = {"loss": ".4f", "accuracy": ".3f", "out_0": ".3f", "out_1": ".3f"}
"""What a line tells of an entry, and with how many digits."""

LAYERS: dict[str, tuple[Implementation, Cell]] = {
    "scratch": ("scratch", "lstm"),
    "nn": ("nn", "lstm"),
    "gru": ("nn", "gru"),
    "rnn": ("nn", "rnn"),
}
"""The layers that a task can be tried on, by the name that the table shows."""


@dataclass(frozen=True)
class Answer:
    """What a network answered to a problem that somebody asked."""

    problem: Problem
    found: int

    def as_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "problem": str(self.problem),
            "answer": self.found,
            "right": self.found == self.problem.answer,
            "worked": self.problem.worked(self.found).strip(),
        }


@dataclass(frozen=True)
class Finding:
    """What came out of a task.

    Args:
        asked: what must be so.
        result: what was found, in the same words.
        passed: whether it is so.
        figures: the result as numbers.
        details: lines that are worth reading.
        answers: to the problems that were asked.
    """

    asked: str
    result: str
    passed: bool
    figures: dict[str, Any] = field(default_factory=dict)
    details: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A task on the layers of one kind.

    Args:
        task: the task's name.
        model: the layers' name, a key of ``LAYERS``.
        seed: what everything drawn at random follows from.
        full: whether the source document's own epochs and sizes are asked for.
        record: where the curves are written.
        problems: what somebody asks once the task is learned, where a task can be asked.
    """

    task: str
    model: str
    seed: int
    full: bool
    record: Record
    problems: tuple[Problem, ...] = ()

    def generator(self) -> np.random.Generator:
        """A new generator for the task's examples: the same ones for all layers."""
        return np.random.default_rng(self.seed)

    @property
    def checkpoint(self) -> Path:
        """Where a training that is to be resumed leaves its checkpoint."""
        return self.record.path.with_name(f"{self.task}-{self.model}.safetensors")

    def layers(self, input_size: int, hidden_size: int) -> nn.Module:
        """Return the recurrent layers that are on trial."""
        return recurrent_layers(*LAYERS[self.model], input_size, hidden_size)

    def adam(self, learning_rate: float, batch_size: int, **other: Any) -> TrainingConfig:  # noqa: ANN401
        """Return the documents' settings, see ``plain_adam``; other ones win."""
        return plain_adam(learning_rate, batch_size, seed=self.seed, **other)

    def train(
        self,
        network: Network,
        examples: Examples,
        config: TrainingConfig,
        epochs: int,
        judge: Callable[[], Entry],
        checkpoint: Path | None = None,
    ) -> None:
        """Train until so many epochs are done, and note loss and judgement on the way.

        Off a terminal, what is noted at the end of an epoch is told in a line, too.

        Args:
            network: what is trained.
            examples: what it is trained on.
            config: the settings.
            epochs: passes over the examples, those before the checkpoint counted.
            judge: measures what the network can do.
            checkpoint: where to go on from, if it is there, and where to leave a checkpoint.
        """
        batches = ShuffledBatches(examples, config.rows, config.seed)
        per_epoch = batches.num_batches(0)
        total_steps = epochs * per_epoch
        marks = report_steps(epochs, per_epoch, 2 * _REPORTS if self.full else _REPORTS)
        optimizer = make_optimizer(network, config)
        position, progress = Position(), Progress()
        if checkpoint is not None:
            position, progress, _ = load_training(checkpoint, network, optimizer)
        meter = Meter()
        name = f"{self.task} {self.model}"
        lines = not in_terminal()
        if lines:
            log.info("%s", name)
        with progress_bar(total_steps, "steps", name, done=position.step) as bar:
            for step in train_steps(network, batches, optimizer, config, total_steps, position):
                position = step.position
                meter.add(step)
                bar.update()
                if position.step in marks:
                    entry = meter.read(step, position.step / per_epoch) | judged(network, judge)
                    self.note(entry)
                    bar.set_postfix_str(f"loss {entry['loss']:.4f}", refresh=False)
                    if lines and position.batch == per_epoch:
                        log.info("%s", epoch_line(entry, epochs))
                    meter.start()
        if checkpoint is not None:
            save_checkpoint(checkpoint, network, position, progress, optimizer)

    def note(self, entry: Entry) -> None:
        """Write a line of the record."""
        self.record.append({**entry, "task": self.task, "model": self.model})


def report_steps(epochs: int, per_epoch: int, most: int) -> set[int]:
    """Return the steps at which a curve has its points, evenly, about ``most`` of them.

    They are the ends of epochs: of so many where there are more, of all where there are fewer, with
    steps between them.
    """
    ends, parts = min(epochs, most), max(1, most // epochs)
    steps = {
        (epochs * end // ends - 1) * per_epoch + per_epoch * part // parts
        for end, part in product(range(1, ends + 1), range(1, parts + 1))
    }
    return steps - {0}


def epoch_line(entry: Entry, epochs: int) -> str:
    """Return what the record has of an epoch's end: ``Epoch 2/9, loss 0.1234, accuracy 0.987``."""
    figures = [
        f"{name} {value:{_TOLD[name]}}"
        for name, value in entry.items()
        if name in _TOLD and isinstance(value, float)
    ]
    return ", ".join([f"Epoch {entry['epoch']:.0f}/{epochs}", *figures])


@torch.no_grad()
def judged(network: Network, judge: Callable[[], Entry]) -> Entry:
    """Return what a judgement measures, without gradients and without dropout."""
    network.eval()
    return judge()


def plain_adam(learning_rate: float, batch_size: int, **other: Any) -> TrainingConfig:  # noqa: ANN401
    """Return settings for Adam as it is elsewhere, with nothing scheduled and nothing clipped."""
    plain = {"schedule": "constant", "warmup": 0.0, "clip": math.inf}
    adam = {"optimizer": "adamw", "weight_decay": 0.0, "beta2": 0.999}
    settings = {**plain, **adam, **other}
    return TrainingConfig(learning_rate=learning_rate, batch_size=batch_size, **settings)
