"""The terminal's own echo: Ctrl-C should stop a text, and not stand in it as ^C."""

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_control_echo() -> Iterator[None]:
    """Keep the terminal from showing control characters that are typed while inside."""
    try:
        import termios
    except ImportError:  # Windows has none, and shows none
        yield
        return
    if not sys.stdout.isatty():  # a pager may read there, and keeps the terminal as it finds it
        yield
        return
    try:
        file = sys.stdin.fileno()
        before = termios.tcgetattr(file)
    except (OSError, ValueError, termios.error):  # no terminal
        yield
        return
    quiet = [*before[:3], before[3] & ~termios.ECHOCTL, *before[4:]]
    termios.tcsetattr(file, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(file, termios.TCSANOW, before)
