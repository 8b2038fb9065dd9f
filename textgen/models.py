"""The two language models: one contract, one checkpoint format.

Shapes: B batch, T steps, V vocabulary, E embedding size, H hidden size, L layers.

Tokens (B, T) and a state go in; logits (B, T, V) and the new state come out. No state given
means zeros. A state is a tuple of tensors (L, B, H): hidden state and memory for an LSTM, the
hidden state alone for GRU and RNN. Nothing remembers it but the caller.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from textgen.config import Implementation, ModelConfig
from textgen.errors import UsageError
from textgen.layers import recurrent_layers
from textgen.lstm import State


class LanguageModel(nn.Module):
    """Embedding (or one-hot input), recurrent layers, output; the subclasses name the middle.

    Args:
        vocab_size: V.
        config: the shape; every setting is explained there.
    """

    implementation: ClassVar[Implementation]
    """Whose recurrent layers it is made of."""

    def __init__(self, vocab_size: int, config: ModelConfig) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.config = config
        one_hot = config.embedding_size == 0
        self.embedding = None if one_hot else nn.Embedding(vocab_size, config.embedding_size)
        self.rnn = recurrent_layers(
            self.implementation,
            config.cell,
            vocab_size if one_hot else config.embedding_size,
            config.hidden_size,
            config.num_layers,
            config.dropout,
        )
        self.dropout = nn.Dropout(config.dropout)
        tied = config.tie and self.embedding is not None
        # A tied output needs features of the embedding's size.
        resize = tied and config.hidden_size != config.embedding_size
        self.projection = (
            nn.Linear(config.hidden_size, config.embedding_size) if resize else nn.Identity()
        )
        self.output = nn.Linear(config.embedding_size if tied else config.hidden_size, vocab_size)
        if self.embedding is not None and tied:
            self.output.weight = self.embedding.weight
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights; both models draw the same ones from the same seed."""
        std = self.config.init_std
        for name, parameter in self.named_parameters():
            if std is not None:
                weight = parameter.dim() > 1
                nn.init.normal_(parameter, std=std) if weight else nn.init.zeros_(parameter)
            elif name.startswith("embedding"):
                nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
            elif name == "output.bias":
                nn.init.zeros_(parameter)

    def begin_state(self, batch_size: int, device: torch.device | str | None = None) -> State:
        """Return the state of zeros before the first token, each tensor (L, B, H)."""
        weight = self.output.weight
        shape = (self.config.num_layers, batch_size, self.config.hidden_size)
        count = 2 if self.config.cell == "lstm" else 1
        zeros = torch.zeros(shape, dtype=weight.dtype, device=device or weight.device)
        return (zeros,) * count

    def features(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return what the output layer reads, (B, T, H or E), and the new state."""
        inputs = tokens if self.embedding is None else self.dropout(self.embedding(tokens))
        hidden, new_state = self.rnn(inputs, state)
        return self.projection(self.dropout(hidden)), new_state

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return the logits (B, T, V) of each next token, and the new state."""
        features, state = self.features(tokens, state)
        return self.output(features), state

    def loss(
        self, tokens: Tensor, targets: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Return the mean cross-entropy in nats of targets (B, T), and the new state."""
        logits, state = self(tokens, state)
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten().long()), state


class RNNModelScratch(LanguageModel):
    """The language model on this project's own LSTM."""

    implementation = "scratch"


class RNNModel(LanguageModel):
    """The language model on ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``."""

    implementation = "nn"


MODELS: dict[str, type[LanguageModel]] = {"nn": RNNModel, "scratch": RNNModelScratch}
"""The values of ``--model``."""


def build_model(vocab_size: int, config: ModelConfig) -> LanguageModel:
    """Return the model that the settings name."""
    return MODELS[config.model](vocab_size, config)


def choose_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` takes cuda, then mps, then the processor.

    Raises:
        UsageError: this machine, or this torch, does not have it.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(device for device, there in available.items() if there)
    if not available[name]:
        raise UsageError(f"--device {name} is not there; this torch sees: {_list(available)}")
    return torch.device(name)


def _list(available: dict[str, bool]) -> str:
    return ", ".join(device for device, there in available.items() if there)
