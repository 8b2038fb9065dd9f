"""What a language model is to everybody else.

Shapes: B batch, T steps, V vocabulary, F features, L layers, H hidden size.

Tokens (B, T) and a state go in; logits (B, T, V) and the new state come out. No state given
means zeros. A state is a tuple of tensors (L, B, H): hidden state and memory for an LSTM, the
hidden state alone for GRU and RNN. Nothing remembers it but the caller.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from textgen.config import ModelConfig
from textgen.model.state import State


class LanguageModel(nn.Module, ABC):
    """The contract; the subclasses are one network each, or several.

    Args:
        vocab_size: V.
        config: the shape; every setting is explained there.
    """

    def __init__(self, vocab_size: int, config: ModelConfig) -> None:
        super().__init__()
        self.vocab_size = vocab_size
        self.config = config
        self.resolved = config.resolved()

    @property
    @abstractmethod
    def num_features(self) -> int:
        """F, what the logits are made of."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    @abstractmethod
    def require_one_direction(self) -> None:
        """Refuse layers that read in both directions, where they would know what is to come.

        Raises:
            UsageError: they do.
        """

    @abstractmethod
    def begin_state(self, batch_size: int, device: torch.device | str | None = None) -> State:
        """Return the state of zeros before the first token."""

    @abstractmethod
    def features(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return what the logits of each next token are made of, (B, T, F), and the new state."""

    @abstractmethod
    def logits(self, features: Tensor) -> Tensor:
        """Return the logits (..., V) that features (..., F) come to."""

    @abstractmethod
    def cross_entropy(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy in nats of targets (B, T), to learn from."""

    @abstractmethod
    def expect(self, occurring: Tensor) -> None:
        """Begin with the frequencies of a text, in place of learning them.

        Args:
            occurring: how often each token stands there, (V,).
        """

    @abstractmethod
    def take_rows(self, among: tuple[int, slice] | None) -> None:
        """Take some rows of every batch from now on, where other ranks take the others.

        Args:
            among: how many rows a batch has, and which ones of them; not given, all.
        """

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return the logits (B, T, V) of each next token, and the new state."""
        features, state = self.features(tokens, state)
        return self.logits(features), state

    def loss(
        self, tokens: Tensor, targets: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Return the mean cross-entropy in nats of targets (B, T), and the new state."""
        self.require_one_direction()
        features, state = self.features(tokens, state)
        return self.cross_entropy(features, targets), state
