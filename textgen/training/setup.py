"""A training before its first step: what it learns from, and who learns it.

Shapes: N tokens to train on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from textgen.config import Settings
from textgen.counts.learned import Learned
from textgen.counts.product import Counts, Product
from textgen.evaluation.perplexity import Passage
from textgen.model.device import choose_device
from textgen.model.language_model import LanguageModel, build_model
from textgen.runs.progress import Position
from textgen.text.batches import POLICIES, TextBatches
from textgen.text.vocab import Vocab
from textgen.training.gate import GateLearner, gate_passes
from textgen.training.loop import DRAWING, Step, Trainable, make_optimizer, train_steps


@dataclass(frozen=True)
class Material:
    """What a training learns from, and what it is judged on."""

    vocab: Vocab
    training_text: str
    held_out_text: str

    @cached_property
    def held_out(self) -> Passage:
        """The held-out part, ready to be judged; there must be one."""
        return Passage.of(self.vocab, self.held_out_text, self.training_text)

    @cached_property
    def learned(self) -> Learned:
        """What counting knows of the training text."""
        return Learned.of(self.tokens.numpy(), len(self.vocab))

    @cached_property
    def tokens(self) -> Tensor:
        """The ids of the training text, (N,)."""
        return torch.from_numpy(self.vocab.encode(self.training_text))


@dataclass(frozen=True)
class Learner:
    """A model with all that its training needs."""

    settings: Settings
    model: LanguageModel
    batches: TextBatches
    optimizer: torch.optim.Optimizer
    gate: GateLearner | None
    """Who learns beside it how far to trust counts, if anybody does."""

    @property
    def counts(self) -> Counts | None:
        """What counts know of the training text, and the gate."""
        return None if self.gate is None else self.gate.counts

    @property
    def trainable(self) -> Trainable:
        """What the loop trains on the batches."""
        return self.model if self.gate is None else self.gate

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds of it, by the names that those call it."""
        gate = self.gate
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            "gate": gate and gate.counts.product,
            "gate_optimizer": gate and gate.optimizer,
        }

    def steps(self, total_steps: int, position: Position) -> Iterator[Step]:
        """Train from a position on; see ``train_steps``."""
        once = self.batches.num_batches(0)
        gate_steps = round(once * gate_passes(len(self.batches.tokens), total_steps / once))
        for step in train_steps(
            self.trainable,
            self.batches,
            self.optimizer,
            self.settings.training,
            total_steps,
            position,
        ):
            if self.gate is not None:
                self.gate.learn(step.position.step, gate_steps)
            yield step


def set_up(settings: Settings, material: Material) -> Learner:
    """Return a new model on its device, and all that its training needs.

    The same settings and the same material give the same ones.

    Raises:
        UsageError: the device is not to be had.
        TooShortError: the text is too short for one batch.
    """
    config = settings.training
    device = choose_device(config.device)
    tokens = material.tokens.to(device)
    learned = torch.arange(len(tokens), device=device) if settings.model.counts else tokens
    batches = POLICIES[config.batches](learned, config.batch_size, config.num_steps, config.seed)
    with DRAWING:
        torch.manual_seed(config.seed)
        model = build_model(len(material.vocab), settings.model).to(device)
        gate = None
        if settings.model.counts:
            counts = Counts(
                material.learned,
                Product(model.output.in_features, material.learned.longest).to(device),
            )
            gate = GateLearner(model, counts, tokens, config)
    if settings.model.init_std is None:
        model.expect(tokens)
    return Learner(settings, model, batches, make_optimizer(model, config), gate)
