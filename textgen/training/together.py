"""What the loop asks of a model, and of those who take its steps together: one process, or many."""

from collections.abc import Iterator
from typing import Protocol

from torch import Tensor, nn

from textgen.model.state import State


class Trainable(Protocol):
    """What the loop asks of a model: an ``nn.Module`` that can tell its loss."""

    def loss(self, x: Tensor, y: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Return the mean loss of a batch, and the new state."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Return what is learned."""

    def train(self) -> object:
        """Turn dropout on."""


class Together:
    """One process alone."""

    def loss(
        self, model: Trainable, x: Tensor, y: Tensor, state: State | None
    ) -> tuple[Tensor, State]:
        """Return this process's part of a batch's mean loss, and the state after its rows."""
        return model.loss(x, y, state)

    def add_up(self, model: Trainable, loss: Tensor, after: State) -> tuple[Tensor, State]:
        """Make everybody's part of the gradient the whole one; return whole loss and state.

        Args:
            model: has this process's part.
            loss: this process's part.
            after: the state after its rows.
        """
        del model
        return loss.detach(), after


ALONE = Together()
