"""What a training is given that is not told: dropout and epochs, by the length of the text.

From a few trials on the beginnings of 红楼梦, with a sampled softmax and one seed each; between the
lengths, on the logarithm of the length, a straight line. Of the epochs, those for 200,000 tokens
and more are a guess: there the held-out loss still fell to the end.
"""

from dataclasses import replace

import numpy as np

from textgen.config import Settings

_LENGTHS = (10_000, 50_000, 200_000, 500_000)
"""Tokens to train on."""

_EPOCHS = (5.0, 8.0, 10.0, 12.0)
"""Passes after which a text of that length is known by heart rather than learned."""

_DROPOUT = (0.5, 0.5, 0.3, 0.1)


def _by_length(num_tokens: int, values: tuple[float, ...]) -> float:
    return float(np.interp(np.log(num_tokens), np.log(_LENGTHS), values))


def choose_dropout(num_tokens: int) -> float:
    """Return the dropout for so many tokens to train on: the fewer, the more."""
    return round(_by_length(num_tokens, _DROPOUT), 2)


def most_epochs(num_tokens: int) -> float:
    """Return how many passes over so many tokens do good."""
    return round(_by_length(num_tokens, _EPOCHS), 1)


def complete(settings: Settings, num_tokens: int) -> tuple[Settings, str]:
    """Return the settings with what was left open, and what that came to, in words."""
    chosen = []
    if settings.model.dropout is None:
        dropout = choose_dropout(num_tokens)
        settings = replace(settings, model=replace(settings.model, dropout=dropout))
        chosen.append(f"dropout {dropout:g}")
    if settings.training.epochs is None:
        epochs = most_epochs(num_tokens)
        settings = settings.with_length(epochs, settings.training.minutes)
        chosen.append(f"at most {epochs:g} epochs")
    if not chosen:
        return settings, ""
    return settings, f"{num_tokens:,} tokens to learn from: {' and '.join(chosen)}"
