"""Steps that come to no number: left out, and where that does not help, gone back from.

A step whose loss or gradient is not finite changes nothing: its batch is passed over. After
``MOST`` in a row the weights themselves are lost, and the training goes back to its last good
checkpoint, with half the learning rate, once.
"""

import logging
import shlex
from dataclasses import replace

from textgen.config import Settings
from textgen.errors import TextgenError
from textgen.runs.folder import Run

log = logging.getLogger(__name__)

MOST = 10
"""Batches in a row that are passed over."""

_HALVED = "learning_rate_halved_because"


class NotFiniteError(TextgenError):
    """A training has come to infinity, or to no number."""


def halved(run: Run, settings: Settings, error: NotFiniteError) -> Settings:
    """Return settings with half the learning rate, and note that in the run.

    Raises:
        TextgenError: that was done once already, or there is nothing to go back to.
    """
    if not run.last.exists():
        raise TextgenError(
            "{error}, and there is no checkpoint yet: start again with a lower --learning-rate",
            error=error,
        ) from None
    if _HALVED in run.config:
        raise TextgenError(
            "{error}, after the learning rate was halved; the last good checkpoint is kept in "
            "{path}: go on from it with a lower --learning-rate, "
            "textgen train --resume {name}",
            error=error,
            path=run.last,
            name=shlex.quote(run.name),
        ) from None
    half = settings.training.highest_rate / 2
    run.config[_HALVED] = error.english()
    kept = replace(run.settings.training, learning_rate=half)
    run.update(replace(run.settings, training=kept), run.plan)
    log.warning(
        "%s: back to the last good checkpoint, with half the learning rate, %g", error, half
    )
    return replace(settings, training=replace(settings.training, learning_rate=half))
