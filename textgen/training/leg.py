"""Steps that several ranks take together, with one sum over all of them each.

Rank r of W takes the rows r, r + W, r + 2 W, ... of every batch: of the first rank's alone the gate
learns, and so they are spread over the whole text. What is drawn at random follows from the step
as it does in one process, and each rank takes its rows of it. So W ranks take the steps that one
takes, up to the order in which numbers are added.

Shapes: B rows of a batch, T steps, L layers, H hidden size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from textgen.model.language_model import LanguageModel
from textgen.model.state import State
from textgen.training.ranks import Ranks
from textgen.training.sums import sum_of
from textgen.training.together import Together, Trainable


class OverError(Exception):
    """The first rank takes no more of these steps."""


@dataclass(frozen=True)
class _Parts:
    """What stands where in the memory of all that is added up in a step."""

    gradients: list[Tensor]
    """Of each parameter, in its own layout, which the optimiser trusts."""

    state: State
    """Of every row, each (L, B, H); empty where it is not carried."""

    figures: Tensor
    """The loss, and whether the first rank takes no more steps, (2,)."""

    @classmethod
    def of(cls, flat: Tensor, parameters: Sequence[Tensor], state: State) -> "_Parts":
        """Return views of the memory, in the shapes of a model's parameters and of its state."""
        shapes = [*parameters, *state]
        *parts, figures = flat.split([*(like.numel() for like in shapes), 2])
        views = [
            part.as_strided(like.size(), like.stride())
            for part, like in zip(parts, shapes, strict=True)
        ]
        return cls(views[: len(parameters)], tuple(views[len(parameters) :]), figures)


class Leg(Together):
    """Takes steps together with the other ranks.

    Args:
        ranks: who they are.
        model: what they train.
        rows: B.
        carries_state: whether the next batch goes on where this one stops.
    """

    def __init__(
        self, ranks: Ranks, model: LanguageModel, rows: int, *, carries_state: bool
    ) -> None:
        self._ranks = ranks
        self._model = model
        self._parameters = list(model.parameters())
        device = self._parameters[0].device
        state = model.begin_state(rows, device) if carries_state else ()
        # One memory for all that is added up in a step: many small messages would take longer.
        count = sum(whole.numel() for whole in (*self._parameters, *state)) + 2
        self._sum = sum_of(ranks, count, device)
        self._ours = _Parts.of(self._sum.own, self._parameters, state)
        self._everyones = _Parts.of(self._sum.total, self._parameters, state)
        self._own = slice(ranks.rank, None, ranks.size)
        self._is_over = False

    def loss(
        self, model: Trainable, x: Tensor, y: Tensor, state: State | None
    ) -> tuple[Tensor, State]:
        """Return the loss of this rank's rows of a batch (B, T), by their share of all."""
        count = len(x)
        # The last of random batches may have fewer rows than there are ranks: who has none takes
        # the first one, for nothing.
        has_rows = self._ranks.rank < count
        own = self._own if has_rows else slice(1)
        self._model.take_rows((count, own))
        x, y = x[own], y[own]
        if state is not None:
            state = tuple(part[:, own].contiguous() for part in state)
        loss, after = model.loss(x, y, state)
        return loss * (len(x) / count * has_rows), after

    @torch.no_grad()
    def add_up(self, model: Trainable, loss: Tensor, after: State) -> tuple[Tensor, State]:
        """Add the gradients up; return the batch's loss, and the state (L, B, H) after it.

        Raises:
            OverError: the first rank does not take this step.
        """
        del model
        ours, everyones = self._ours, self._everyones
        for part, parameter in zip(ours.gradients, self._parameters, strict=True):
            if parameter.grad is not None:
                part.copy_(parameter.grad)
        for whole, part in zip(ours.state, after, strict=False):
            whole.zero_()[:, self._own] = part
        ours.figures[0], ours.figures[1] = loss, 0.0
        self._sum.add_up()
        if everyones.figures[1] != 0:
            self._is_over = True
            raise OverError
        for part, parameter in zip(everyones.gradients, self._parameters, strict=True):
            if parameter.grad is not None:
                parameter.grad = part
        whole_state = tuple(part.clone() for part in everyones.state)
        return everyones.figures[0].clone(), whole_state or after

    def end(self) -> None:
        """Take no more steps: the first rank says so, the others hear it, once each."""
        self._model.take_rows(None)
        if not self._is_over and not self._ranks.is_lost:
            self._is_over = True
            self._sum.own.zero_()
            self._ours.figures[1] = float(self._ranks.is_first)
            self._sum.add_up()
