"""A training before its first step: what it learns from, and who learns it.

Shapes: N tokens to train on, V vocabulary.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from textgen.config import Settings, TrainingConfig
from textgen.counts.excerpt import Excerpt
from textgen.counts.learned import NOTHING, Learned
from textgen.counts.product import Counts, Product
from textgen.evaluation.heard import Heard
from textgen.evaluation.perplexity import Passage
from textgen.evaluation.sample import Sample
from textgen.model.build import build_model
from textgen.model.device import choose_device
from textgen.model.language_model import LanguageModel
from textgen.model.precision import choose_dtype
from textgen.runs.beginning import Beginning
from textgen.runs.progress import JUDGED, Position
from textgen.text.batches import POLICIES, TextBatches
from textgen.text.item_batches import ItemBatches, Spans
from textgen.text.store import Store
from textgen.text.tokens import PlacesAsTokens, Tokens, occurrences
from textgen.text.vocab import TokenIds, Vocab
from textgen.training.beginning import begin_with
from textgen.training.gate import GateLearner, gate_passes
from textgen.training.leading import require_shares, together
from textgen.training.loop import DRAWING, Step, make_optimizer, train_steps
from textgen.training.padding import Padded
from textgen.training.together import Trainable


@dataclass(frozen=True)
class Material:
    """What a training learns from, and what it is judged on."""

    vocab: Vocab

    tokens: Tokens
    """The ids of the training text, (N,)."""

    occurring: NDArray[np.int64]
    """How often each token of the vocabulary stands there, (V,)."""

    held_out: Passage | None
    """The held-out part, ready to be judged, if there is one."""

    counted: int | None = None
    """How many of the N tokens are counted at most; all when not given."""

    judged: int = JUDGED
    """Tokens of a long held-out part that are judged at an evaluation."""

    as_before: bool = False
    """Whether it is counted as before there were histories that skip."""

    earlier: TokenIds = field(default_factory=lambda: NOTHING)
    """The ids of a text that was learned from earlier and is only counted here, (E,)."""

    beginning: Beginning | None = None
    """The run whose weights it begins with, if there is one."""

    store: Store | None = None
    """Where the ids are, if they are on a disk."""
    end: str | None = None
    """What closes an item, in a text of items; then the first of the tokens is one."""

    @classmethod
    def of(
        cls,
        vocab: Vocab,
        training_text: str,
        held_out_text: str,
        counted: int | None = None,
        judged: int = JUDGED,
        *,
        as_before: bool = False,
        earlier: str = "",
        beginning: Beginning | None = None,
        end: str | None = None,
    ) -> "Material":
        """Return what two texts are to a training; it does not hold on to the first one."""
        tokens = vocab.encode((end or "") + training_text)
        occurring = occurrences(tokens, len(vocab))
        held_out = Passage.of(vocab, held_out_text, training_text, end) if held_out_text else None
        return cls(
            vocab,
            tokens,
            occurring,
            held_out,
            counted,
            judged,
            as_before,
            earlier=vocab.encode(earlier),
            beginning=beginning,
            end=end,
        )

    @cached_property
    def excerpt(self) -> Excerpt:
        """What of the N tokens is counted."""
        return Excerpt.of(len(self.tokens), self.counted)

    @cached_property
    def learned(self) -> Learned:
        """What counting knows of the training text."""
        return Learned.of(
            self.tokens,
            len(self.vocab),
            self.counted,
            occurring=self.occurring,
            as_before=self.as_before,
            earlier=self.earlier,
            end=None if self.end is None else self.vocab[self.end],
        )

    def batches(
        self, config: TrainingConfig, tokens: Tokens, device: torch.device | None = None
    ) -> TextBatches | ItemBatches:
        """Return the tokens, or whatever stands for them, (N,), in mini-batches.

        Raises:
            TooShortError: the text is too short for one batch.
        """
        shape = config.rows, config.num_steps, config.seed
        if self.end is None:
            return POLICIES[config.batches](tokens, *shape, device)
        spans = Spans.of(self.tokens[:], self.vocab[self.end])
        return ItemBatches(tokens, spans, *shape, device)

    @property
    def earlier_counted(self) -> TokenIds:
        """What is counted of what was learned from earlier."""
        return Excerpt.of(len(self.earlier), self.counted).take(self.earlier)

    @property
    def on_the_way(self) -> Sample:
        """What is judged of the held-out part at an evaluation."""
        return Sample.on_the_way(self.held_out.count if self.held_out else 0, self.judged)

    @property
    def at_the_end(self) -> Sample:
        """What is judged of it at the end of the training."""
        return Sample.at_the_end(self.held_out.count if self.held_out else 0, self.judged)

    @cached_property
    def heard(self) -> Heard | None:
        """The held-out part, if there is one, to be read after what was counted."""
        if self.held_out is None:
            return None
        return Heard.of(self.learned, self.held_out, self.at_the_end)


@dataclass(frozen=True)
class Learner:
    """A model with all that its training needs."""

    settings: Settings
    model: LanguageModel
    batches: TextBatches | ItemBatches
    optimizer: torch.optim.Optimizer
    gate: GateLearner | None
    """Who learns beside it how far to trust counts, if anybody does."""

    material: Material
    """What it learns from."""

    @property
    def counts(self) -> Counts | None:
        """What counts know of the training text, and the gate."""
        return None if self.gate is None else self.gate.counts

    @property
    def trainable(self) -> Trainable:
        """What the loop trains on the batches."""
        alone = Padded(self.model) if self.batches.pads else self.model
        return self.gate or alone

    def parts(self) -> dict[str, Any]:
        """Return what a checkpoint holds of it, by the names that those call it."""
        gate = self.gate
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            "gate": gate and gate.counts.product,
            "gate_optimizer": gate and gate.optimizer,
        }

    def steps(
        self, total_steps: int, position: Position, span: int | None = None
    ) -> Iterator[Step]:
        """Train from a position on; see ``train_steps``."""
        once = self.batches.num_batches(0)
        gate_steps = round(once * gate_passes(len(self.batches.tokens), total_steps / once))
        course = total_steps, position, span
        with together(
            self.settings,
            self.model,
            self.optimizer,
            self.batches,
            self.material.tokens,
            self.material.store,
            *course,
        ) as ranks:
            for step in train_steps(
                self.trainable,
                self.batches,
                self.optimizer,
                self.settings.training,
                *course,
                ranks,
            ):
                if self.gate is not None:
                    self.gate.learn(step.position.step, gate_steps)
                yield step


def require_possible(settings: Settings, material: Material) -> None:
    """Raise what would stand in the way of a training, before anything is counted or measured.

    Raises:
        UsageError: the device or the precision is not to be had.
        TooShortError: the text is too short for one batch.
    """
    config = settings.training
    device = choose_device(config.device)
    material.batches(config, material.tokens)
    with DRAWING:
        model = build_model(len(material.vocab), settings.model).to(device)
    choose_dtype(config.precision, model.parameters())


def set_up(settings: Settings, material: Material) -> Learner:
    """Return a new model on its device, and all that its training needs.

    The same settings and the same material give the same ones.

    Raises:
        UsageError: the device is not to be had, or the ranks cannot share a batch.
        TooShortError: the text is too short for one batch.
    """
    config = settings.training
    require_shares(config.rows, items=material.end is not None)
    device = choose_device(config.device)
    # The gate has to know where a batch stands.
    batches = (
        material.batches(config, PlacesAsTokens(len(material.tokens)))
        if settings.model.counts
        else material.batches(config, material.tokens, device)
    )
    with DRAWING:
        torch.manual_seed(config.seed)
        model = build_model(len(material.vocab), settings.model).to(device)
        gate = None
        if settings.model.counts:
            counts = Counts(
                material.learned,
                Product(model.num_features, material.learned.form).to(device),
            )
            gate = GateLearner(
                model,
                counts,
                material.tokens,
                config,
                material.excerpt,
                material.earlier_counted,
                items=material.end is not None,
            )
    if material.beginning is not None:
        product = None if gate is None else gate.counts.product
        begin_with(material.beginning, material.vocab, model, product)
    elif settings.model.init_std is None:
        model.expect(torch.from_numpy(material.occurring))
    return Learner(settings, model, batches, make_optimizer(model, config), gate, material)
