"""A training that goes on multiplies in the type that it began with.

What ``auto`` takes depends on the machine, and also on how busy that is; a training that went on
in another type would not be the same one.
"""

import logging
from dataclasses import replace

from textgen.config import Settings
from textgen.model.device import choose_device
from textgen.model.precision import has_bfloat16
from textgen.runs.folder import Run

log = logging.getLogger(__name__)


def with_kept_dtype(run: Run, settings: Settings) -> Settings:
    """Return the settings with the type in place of ``auto``, where the run has one that is here.

    Raises:
        UsageError: the device is not to be had.
    """
    kept, training = run.config.get("dtype"), settings.training
    if kept is None or not training.precision == run.settings.training.precision == "auto":
        return settings
    if kept == "bfloat16" and not has_bfloat16(choose_device(training.device)):
        return settings
    return replace(settings, training=replace(training, precision=kept))


def keep_dtype(run: Run, dtype: str) -> None:
    """Note the type that a run goes on with, for its next update; tell where it is another one."""
    kept = run.config.get("dtype", dtype)
    if kept != dtype:
        log.warning(
            "%s was trained in %s and goes on in %s: it comes out a little differently",
            run.name,
            kept,
            dtype,
        )
    run.config["dtype"] = dtype
