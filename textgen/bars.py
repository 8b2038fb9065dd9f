"""One look for every progress bar, and the one place that says whether there are any."""

import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm


def in_terminal() -> bool:
    """Return whether stderr is a terminal: only there a bar can be drawn over its last state."""
    return sys.stderr.isatty()


def progress_bar(
    total: int, unit: str, description: str | None = None, done: int = 0, delay: float = 0.0
) -> "tqdm[NoReturn]":
    """Return a bar on stderr, which stays unseen where that is no terminal.

    Args:
        total: how much there is to do.
        unit: what is counted, in the plural.
        description: what is being done; a bar that has one goes away at its end.
        done: how much was done before.
        delay: seconds of work that need no bar.
    """
    from tqdm import tqdm

    return tqdm(
        desc=description,
        total=total,
        initial=done,
        unit=f" {unit}",
        unit_scale=True,
        dynamic_ncols=True,
        leave=description is None,
        delay=delay,
        disable=not in_terminal(),
        bar_format="{desc}{percentage:3.0f}% |{bar}| {elapsed}<{remaining}, {rate_fmt}{postfix}",
    )
