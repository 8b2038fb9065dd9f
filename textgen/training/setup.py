"""A training before its first step: what it learns from, and model, batches and optimiser for it.

Shapes: N tokens to train on.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from textgen.config import Settings
from textgen.evaluation.perplexity import Passage
from textgen.model.device import choose_device
from textgen.model.language_model import LanguageModel, build_model
from textgen.text.batches import POLICIES, TextBatches
from textgen.text.vocab import Vocab
from textgen.training.loop import DRAWING, make_optimizer


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
    def tokens(self) -> Tensor:
        """The ids of the training text, (N,)."""
        return torch.from_numpy(self.vocab.encode(self.training_text))


def set_up(
    settings: Settings, material: Material
) -> tuple[LanguageModel, TextBatches, torch.optim.Optimizer]:
    """Return a new model on its device, its batches and its optimiser.

    The same settings and the same material give the same ones.

    Raises:
        UsageError: the device is not to be had.
        TooShortError: the text is too short for one batch.
    """
    config = settings.training
    device = choose_device(config.device)
    tokens = material.tokens.to(device)
    batches = POLICIES[config.batches](tokens, config.batch_size, config.num_steps, config.seed)
    with DRAWING:
        torch.manual_seed(config.seed)
        model = build_model(len(material.vocab), settings.model).to(device)
    if settings.model.init_std is None:
        model.expect(tokens)
    return model, batches, make_optimizer(model, config)
