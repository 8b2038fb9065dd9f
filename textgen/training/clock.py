"""The clock that ``--minutes`` go by: seconds on the wall, without those asleep or stopped.

It is read after every step and every piece of a text that is judged. What lies between two
readings counts, also where other programs had the processor meanwhile: to the user that is time as
well. But a process that is stopped (Ctrl-Z, SIGSTOP) or asleep with its machine reads no clock: an
interval that is long in itself, and long beside the one before, counts as much as that one.
"""

import time
from collections.abc import Callable

_LONG = 10.0
"""Seconds between two readings from which on a process may have been stopped; one that only has
to share the processor is held back for less."""

_LONGER = 2.0
"""How many times as long as the interval before it must be, too: a step that takes half a minute
does so each time."""


class Clock:
    """Counts seconds, those of a stop left out.

    Args:
        seconds: what has been counted before.
        now: tells the time in seconds, and never goes back.
    """

    def __init__(self, seconds: float = 0.0, now: Callable[[], float] = time.perf_counter) -> None:
        self.seconds = seconds
        self.stopped = 0.0
        """Seconds that were left out."""

        self._now = now
        self._read_at = now()
        self._before: float | None = None

    def start(self, seconds: float) -> None:
        """Begin now, with so many seconds counted before."""
        self.read()
        self.seconds, self.stopped, self._before = seconds, 0.0, None

    def read(self) -> float:
        """Return the seconds that count, up to now."""
        now = self._now()
        passed, self._read_at = now - self._read_at, now
        if self._before is not None and passed > max(_LONG, _LONGER * self._before):
            self.stopped += passed - self._before
            passed = self._before
        self._before = passed
        self.seconds += passed
        return self.seconds
