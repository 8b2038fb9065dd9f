"""One's own figures of a training: a function that is called after every step."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_type_hints

from torch import Tensor

from textgen.errors import UsageError
from textgen.model.language_model import LanguageModel
from textgen.runs.record import Entry

_OWN = frozenset(get_type_hints(Entry))


@dataclass(frozen=True)
class Moment:
    """Where a training stands after a step."""

    step: int
    """Steps done."""

    epoch: float
    """Epochs done, with the part of the last one."""

    loss: float
    """Of the step's batch, in nats per token."""

    gradient_norm: float
    """Before it was clipped."""

    learning_rate: float
    model: LanguageModel
    """The network, with its gradients: to look at, not to change."""


OnStep = Callable[[Moment], Mapping[str, float] | None]
"""Is called after every step; its time counts as the training's.

The numbers that it returns, if it does, stand by their names in the record's next entry: of each
name the newest, if it is finite. What it raises ends the training: everything is saved, and the
error passes on.
"""


def figures_of(on_step: OnStep, moment: Moment) -> dict[str, float]:
    """Return the figures that somebody has of a moment.

    Raises:
        UsageError: they are none that can stand in a record.
    """
    returned = on_step(moment)
    if returned is None:
        return {}
    if not isinstance(returned, Mapping):
        raise UsageError(
            "on_step returned {value}: it must return nothing, or a dict of names and numbers",
            value=_shown(returned),
        )
    figures = {}
    for name, value in returned.items():
        if not isinstance(name, str):
            raise UsageError(
                "on_step has a figure called {name}: its name must be a str", name=_shown(name)
            )
        if name in _OWN:
            raise UsageError(
                "on_step has a figure called {name}, as the record itself has: choose another name",
                name=name,
            )
        try:
            number = float(value.detach() if isinstance(value, Tensor) else value)
        except (TypeError, ValueError, RuntimeError):  # the last where a tensor has many numbers
            raise UsageError(
                "on_step has {value} as {name}: it must be one number",
                value=_shown(value),
                name=name,
            ) from None
        if math.isfinite(number):  # JSON has no word for others
            figures[name] = number
    return figures


def _shown(value: object) -> str:
    return " ".join(repr(value).split())[:60]
