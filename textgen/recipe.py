"""What a training is given that is not told: size, dropout, recurrent dropout and epochs.

From trials on 红楼梦 and its beginnings, one seed each; between the lengths, on the logarithm of
the length, a straight line. Of the epochs, those for 200,000 characters and more are a guess: there
the held-out loss still fell to the end.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from textgen.config import HIDDEN_SIZES, Settings

_ENOUGH = 5.0
"""Passes over the text that there must be time for with a larger network: with fewer, a smaller
one, which makes more of them, is the better."""

_LENGTHS = (10_000, 50_000, 200_000, 500_000)
"""Characters to train on."""

_EPOCHS = (5.0, 8.0, 10.0, 12.0)
"""Passes after which a text of that length is known by heart rather than learned."""

_DROPOUT = (0.5, 0.5, 0.3, 0.1)

_RECURRENT_DROPOUT = 0.2

_LARGE = 200_000
"""Characters from which on a text can teach a larger network more than a smaller one."""


def complete(
    settings: Settings, length: int, passes: Callable[[Settings], float]
) -> tuple[Settings, str]:
    """Return the settings with what was left open, and what that came to and why, in words.

    Args:
        settings: as they were given.
        length: characters to train on.
        passes: tells how often the text can be gone through in the settings' minutes.
    """
    given, minutes = settings.model, settings.training.minutes
    sizes: tuple[int, ...]
    if given.hidden_size is not None:
        sizes = (given.hidden_size,)
    elif minutes is None or length < _LARGE:
        sizes = HIDDEN_SIZES[:1]
    else:
        sizes = HIDDEN_SIZES
    *larger, smallest = sorted(sizes, reverse=True)
    for hidden_size in larger:
        completed, chosen = _fill_in(settings, length, hidden_size)
        times = passes(completed)
        if times >= _ENOUGH:
            why = f"{length:,} characters to learn from, in {minutes:g} minutes {times:.1f} times"
            return completed, f"{why}: {chosen}"
    completed, chosen = _fill_in(settings, length, smallest)
    return completed, chosen and f"{length:,} characters to learn from: {chosen}"


def _fill_in(settings: Settings, length: int, hidden_size: int) -> tuple[Settings, str]:
    wanted: dict[str, Any] = {
        "hidden_size": hidden_size,
        "dropout": round(_by_length(length, _DROPOUT), 2),
        "recurrent_dropout": _RECURRENT_DROPOUT,
    }
    model = settings.model
    chosen = {name: value for name, value in wanted.items() if getattr(model, name) is None}
    words = [f"{name.replace('_', ' ')} {value:g}" for name, value in chosen.items()]
    settings = replace(settings, model=replace(model, **chosen))
    if settings.training.epochs is None:
        epochs = round(_by_length(length, _EPOCHS), 1)
        settings = settings.with_length(epochs, settings.training.minutes)
        words.append(f"at most {epochs:g} epochs")
    return settings, ", ".join(words)


def _by_length(length: int, values: tuple[float, ...]) -> float:
    return float(np.interp(np.log(length), np.log(_LENGTHS), values))
