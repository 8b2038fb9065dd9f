"""What a training is given that is not told: size, epochs, what keeps it from learning by heart.

From trials on 红楼梦 and its beginnings, and on tiny-shakespeare, one seed each
(docs/performance.md). Between the lengths, on the logarithm of the length, a straight line. Of the
epochs, those for 200,000 characters and more are a guess: there the held-out loss still fell to
the end; so is what is dropped at 10,000,000, where only the sizes were compared.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import asdict, fields, replace

import numpy as np

from textgen.config import BATCH_SIZES, HIDDEN_SIZES, Resolved, Settings
from textgen.language import _, marked
from textgen.runs.progress import JUDGED

_LENGTHS = (10_000, 50_000, 200_000, 500_000, 1_000_000, 10_000_000)
"""Characters to train on."""

_EPOCHS = (10.0, 12.0, 12.0, 12.0, 24.0, 24.0)
"""Passes after which a text of that length is known by heart rather than learned."""

_EPOCHS_WITH_COUNTS = (5.0, *_EPOCHS[1:])
"""The same where counts know a short text by heart already."""

_BY_LENGTH = {
    "dropout": (0.5, 0.5, 0.3, 0.1, 0.05, 0.0),
    "recurrent_dropout": (0.4, 0.4, 0.2, 0.2, 0.15, 0.05),
    "label_smoothing": (0.2, 0.1, 0.0, 0.0, 0.0, 0.0),
}

_LARGE = 200_000
"""Characters from which on a text can teach a larger network more than a smaller one, and has
batches enough when they are larger."""

_BATCHED = (_LARGE, 5_000_000)
"""Characters from which on a batch has more rows, the second number of them and the third."""

_LARGE_LEAST = {"dropout": 0.2, "recurrent_dropout": 0.25}
"""The least that is dropped of a larger network."""

_ENOUGH = 4.0
"""Passes over the text that there must be time for with a larger network: with fewer, a smaller
one, which makes more of them, is the better."""

_ENOUGH_FOR_TWO = 16.0
"""Passes that there must be time for with one of the larger networks so that two of them, half as
many each, are the better: what one has learned by heart in so many, the other has not."""

_OFTEN = 5.0
"""Passes from which on as much is dropped and smoothed as the text's length asks for."""


_PRETRAINED_RATE = 0.5
"""Share of the learning rate with which a network goes on that has learned another text."""

_MOST_COUNTED = 10_000_000
"""Tokens whose counts fit into a gigabyte."""

_LEAST_COUNTED = 2_000_000
"""Those that are counted in a second, and more than most novels have."""

_COUNTED = 250_000
"""Tokens that are counted in a tenth of a second, where a processor is not quick."""


def tokens_to_count(length: int, minutes: float | None) -> int | None:
    """Return how many tokens of a training text are counted; none is all.

    Counting, too, takes a tenth of the minutes at most, though the minutes do not begin before it.

    Args:
        length: characters to train on.
        minutes: of training, if they are known.
    """
    affordable = math.inf if minutes is None else _COUNTED * 60 * minutes
    most = round(min(_MOST_COUNTED, max(_LEAST_COUNTED, affordable)))
    return None if length <= most else most


_JUDGED_A_MINUTE = 10_000
"""Tokens that are judged in a tenth of a minute, where a processor is not quick."""

_LEAST_JUDGED = 2_000


def tokens_to_judge(minutes: float | None) -> int:
    """Return how many tokens of a long held-out part are judged at an evaluation.

    As many as can be in a tenth of the minutes.

    Args:
        minutes: of training, if they are known.
    """
    affordable = math.inf if minutes is None else _JUDGED_A_MINUTE * minutes
    return round(min(JUDGED, max(_LEAST_JUDGED, affordable)))


def complete(
    settings: Settings,
    length: int,
    passes: Callable[[Settings], float],
    *,
    pretrained: bool = False,
) -> tuple[Settings, str]:
    """Return the settings with what was left open, and what that came to and why, in words.

    Args:
        settings: as they were given.
        length: characters to train on.
        passes: tells how often the text can be gone through in the settings' minutes.
        pretrained: whether the network begins with what another run has learned.
    """
    given, training = settings.model, settings.training
    usual = BATCH_SIZES[bisect_right(_BATCHED, length)]
    opened = {} if training.batch_size else {"batch_size": usual}
    training = replace(training, batch_size=training.batch_size or usual)
    slower = _PRETRAINED_RATE if pretrained and training.learning_rate is None else 1.0
    training = replace(training, learning_rate=slower * training.highest_rate)
    settings = replace(settings, training=training)
    usually = _of_length(length, _EPOCHS_WITH_COUNTS if given.counts else _EPOCHS)
    epochs = training.epochs or float(round(usually))
    names = [field.name for field in fields(Resolved)]
    missing = [name for name in names if getattr(given, name) is None]
    depends = missing not in ([], ["embedding_size"])  # on the time there is
    measured = depends and training.minutes is not None and length >= _LARGE
    hidden_size, num_networks, times = given.hidden_size or HIDDEN_SIZES[0], 1, math.inf
    if measured:
        hidden_size, num_networks, times = _in_time(settings, passes)
    times = min(epochs, times)
    resolved = asdict(
        given.resolved(
            hidden_size=hidden_size,
            num_networks=num_networks,
            **_against_learning_by_heart(length, hidden_size, times),
        )
    )
    chosen = {name: resolved[name] for name in missing}
    told = chosen | opened
    nothing = {field.name: field.default for field in fields(Resolved)}
    words = [
        f"{_(_IN_WORDS[name])} {value:g}"
        for name, value in told.items()
        if value != nothing.get(name)
    ]
    if training.epochs is None:
        words.append(_("at most {count:g} epochs").format(count=epochs))
    reason = (
        _("{length:,} characters to learn from, time for {times:.1f} passes: {chosen}")
        if measured
        else _("{length:,} characters to learn from: {chosen}")
    )
    reason = reason.format(length=length, times=times, chosen=_(", ").join(words))
    completed = replace(settings, model=replace(given, **chosen))
    completed = completed.with_length(epochs, training.minutes)
    return completed, reason if words else ""


def _in_time(settings: Settings, passes: Callable[[Settings], float]) -> tuple[int, int, float]:
    """Return the hidden size and the number of networks that there is time for, and the passes."""
    given = settings.model
    sizes = [given.hidden_size] if given.hidden_size else HIDDEN_SIZES
    hidden_size, times = sizes[0], 0.0
    for size in sizes:
        possible = passes(replace(settings, model=replace(given, hidden_size=size)))
        if size == sizes[0] or possible >= _ENOUGH:
            hidden_size, times = size, possible
        if possible < _ENOUGH:  # still less with a larger one
            break
    if given.num_networks is None and hidden_size >= HIDDEN_SIZES[-1] and times >= _ENOUGH_FOR_TWO:
        return hidden_size, 2, times / 2
    return hidden_size, given.num_networks or 1, times


_IN_WORDS = {
    "hidden_size": marked("hidden size"),
    "num_networks": marked("networks"),
    "embedding_size": marked("embedding size"),
    "dropout": "dropout",
    "recurrent_dropout": marked("recurrent dropout"),
    "label_smoothing": marked("label smoothing"),
    "batch_size": marked("batch size"),
}


def _against_learning_by_heart(length: int, hidden_size: int, times: float) -> dict[str, float]:
    """Return the shares dropped and smoothed: the less, the fewer passes a text is learned in."""
    wanted = {name: _of_length(length, values) for name, values in _BY_LENGTH.items()}
    if hidden_size > HIDDEN_SIZES[0]:
        wanted |= {name: max(wanted[name], least) for name, least in _LARGE_LEAST.items()}
    return {name: round(value * min(1.0, times / _OFTEN), 2) for name, value in wanted.items()}


def _of_length(length: int, values: tuple[float, ...]) -> float:
    return round(float(np.interp(np.log(length), np.log(_LENGTHS), values)), 2)
