"""What a training is given that is not told: size, epochs, what keeps it from learning by heart.

From trials on 红楼梦 and its beginnings, and on tiny-shakespeare, one seed each
(docs/performance.md). Between the lengths, on the logarithm of the length, a straight line. Of the
epochs, those for 200,000 characters and more are a guess: there the held-out loss still fell to
the end; so is all that is said of 10,000,000.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from textgen.config import HIDDEN_SIZES, Settings

_LENGTHS = (10_000, 50_000, 200_000, 500_000, 1_000_000, 10_000_000)
"""Characters to train on."""

_EPOCHS = (10.0, 12.0, 12.0, 12.0, 12.0, 12.0)
"""Passes after which a text of that length is known by heart rather than learned."""

_BY_LENGTH = {
    "dropout": (0.5, 0.5, 0.3, 0.1, 0.05, 0.0),
    "recurrent_dropout": (0.4, 0.4, 0.2, 0.2, 0.15, 0.05),
    "label_smoothing": (0.2, 0.1, 0.0, 0.0, 0.0, 0.0),
}

_LARGE = 200_000
"""Characters from which on a text can teach a larger network more than a smaller one."""

_LARGE_DROPOUT = 0.2
"""The least dropout of a larger network."""

_ENOUGH = 5.0
"""Passes over the text that there must be time for with a larger network: with fewer, a smaller
one, which makes more of them, is the better."""


def complete(
    settings: Settings, length: int, passes: Callable[[Settings], float]
) -> tuple[Settings, str]:
    """Return the settings with what was left open, and what that came to and why, in words.

    Args:
        settings: as they were given.
        length: characters to train on.
        passes: tells how often the text can be gone through in the settings' minutes.
    """
    size, minutes = settings.model.hidden_size, settings.training.minutes
    reason = f"{length:,} characters to learn from"
    smallest = size or HIDDEN_SIZES[0]
    if size is None and minutes is not None and length >= _LARGE:
        for larger in sorted(HIDDEN_SIZES[1:], reverse=True):
            completed, chosen = _fill_in(settings, length, larger)
            times = passes(completed)
            if times >= _ENOUGH:
                return completed, f"{reason}, {times:.1f} times in {minutes:g} minutes: {chosen}"
            reason = f"{length:,} characters to learn from, too few times for {larger} units"
    completed, chosen = _fill_in(settings, length, smallest)
    return completed, chosen and f"{reason}: {chosen}"


def _fill_in(settings: Settings, length: int, hidden_size: int) -> tuple[Settings, str]:
    def of_length(values: tuple[float, ...]) -> float:
        return round(float(np.interp(np.log(length), np.log(_LENGTHS), values)), 2)

    wanted: dict[str, Any] = {"hidden_size": hidden_size}
    wanted |= {name: of_length(values) for name, values in _BY_LENGTH.items()}
    if hidden_size > HIDDEN_SIZES[0]:
        wanted["dropout"] = max(wanted["dropout"], _LARGE_DROPOUT)
    model = settings.model
    chosen = {name: value for name, value in wanted.items() if getattr(model, name) is None}
    words = [f"{name.replace('_', ' ')} {value:g}" for name, value in chosen.items() if value]
    settings = replace(settings, model=replace(model, **chosen))
    if settings.training.epochs is None:
        epochs = of_length(_EPOCHS)
        settings = settings.with_length(epochs, settings.training.minutes)
        words.append(f"at most {epochs:g} epochs")
    return settings, ", ".join(words)
