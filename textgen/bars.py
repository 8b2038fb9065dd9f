"""One look for every progress bar, and for messages above it; and where there are any."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TextIO, cast

from textgen.names import readable

if TYPE_CHECKING:
    from tqdm import tqdm


def in_terminal() -> bool:
    """Return whether stderr is a terminal: only there a bar can be drawn over its last state."""
    return sys.stderr.isatty()


def in_notebook() -> bool:
    """Return whether this is a notebook's process, whose page shows what is printed."""
    ipython = sys.modules.get("IPython")  # who has not imported it is in none
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _stream() -> TextIO:
    """Return where people look: in a notebook, stderr would have a red box of its own."""
    return sys.stdout if in_notebook() else sys.stderr


def progress_bar(
    total: int, unit: str, description: str | None = None, done: int = 0, delay: float = 0.0
) -> "tqdm[NoReturn]":
    """Return a bar on stderr, or in a notebook; it stays unseen where there is neither.

    Args:
        total: how much there is to do.
        unit: what is counted, in the plural.
        description: what is being done; a bar that has one goes away at its end.
        done: how much was done before.
        delay: seconds of work that need no bar.
    """
    return _kind_of_bar()(
        desc=description,
        total=total,
        initial=done,
        unit=f" {unit}",
        unit_scale=True,
        dynamic_ncols=True,
        leave=description is None,
        delay=delay,
        file=_stream(),
        disable=not (in_terminal() or in_notebook()),
        bar_format="{desc}{percentage:3.0f}% |{bar}| {elapsed}<{remaining}, {rate_fmt}{postfix}",
    )


def _kind_of_bar() -> "type[tqdm[NoReturn]]":
    """Return tqdm's bar for where this runs: in a notebook a widget, where it has widgets."""
    if not in_notebook():
        from tqdm import tqdm

        return tqdm
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets the bar is text, and that is all
        from tqdm.auto import tqdm as in_page

    return cast("type[tqdm[NoReturn]]", in_page)


def set_total(bar: "tqdm[NoReturn]", total: int) -> None:
    """Tell a bar that there is more to do, or less; a widget does not see that by itself."""
    if total != bar.total:
        bar.total = total
        if (widget := getattr(bar, "container", None)) is not None:
            widget.children[1].max = total


@contextmanager
def heard() -> Iterator[None]:
    """Print textgen's messages while inside, where nobody has set logging up.

    They go where a notebook shows what is printed, and to stderr elsewhere.
    """
    logger = logging.getLogger("textgen")
    if logger.hasHandlers():
        yield
        return
    messages, level = _Messages(), logger.level
    logger.addHandler(messages)
    if level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(messages)
        logger.setLevel(level)


class _Messages(logging.Handler):
    """Prints messages, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        tqdm.write(readable(self.format(record)), file=_stream())
