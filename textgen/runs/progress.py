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
    """What a training's length came to; it is fixed before the first step."""

    total_steps: int
    evaluate_every: int
    counted: int | None = None
    """Tokens of a long training text that are counted."""

    judged: int = JUDGED
    """Tokens of a long held-out part that are judged at an evaluation."""


@dataclass
class Progress:
    """How the held-out evaluations of a training went so far."""

    best_bits: float | None = None
    """Lowest bits per character, in ``best.safetensors``."""

    stale: int = 0
    """Evaluations since then."""
