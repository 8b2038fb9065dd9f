"""Where a training stands: how long it is planned, how far it has come, how well it went."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textgen.model.state import State

JUDGED = 10_000
"""Tokens of a held-out part that are judged at an evaluation, unless time is short."""


@dataclass
class Position:
    """Where a training stands: all that a resume needs beside weights and optimiser."""

    step: int = 0
    """Steps done."""

    epoch: int = 0
    """Number of the epoch that the next batch is of."""

    batch: int = 0
    """Number of the next batch in that epoch."""

    state: "State | None" = None
    """The recurrent state after the last batch; carried into the next one, or not."""


@dataclass(frozen=True)
class Plan:
    """What a training's length came to before its first step."""

    total_steps: int
    """All there are; with a budget, what was planned stands here until the training is over: the
    record has what was planned anew."""

    evaluate_every: int
    counted: int | None = None
    """Tokens of a long training text that are counted."""

    judged: int = JUDGED
    """Tokens of a long held-out part that are judged at an evaluation."""

    planned: int | None = None
    """With a budget, the steps after ``first_step`` that there seemed to be time for at first."""

    budget: float | None = None
    """Seconds that it may take; none where only steps count, and nothing is planned anew."""

    by_steps: bool = False
    """Whether it is judged every so many steps all the same."""

    per_step: float = 0.0
    """Seconds that a step took when it was measured."""

    judging: float = 0.0
    """Seconds that an evaluation was reckoned to take then."""

    most: int | None = None
    """Steps that there are at most, however much time there is."""

    first_step: int = 0
    """Steps that were done before the budget began."""


@dataclass
class Progress:
    """How the held-out evaluations of a training went so far."""

    best_bits: float | None = None
    """Lowest bits per character, in ``best.safetensors``."""

    stale: int = 0
    """Evaluations since then."""
