"""Who writes next: one thread, on which every request takes its turn.

A turn is a token of one text; then the request stands at the end of the queue again. So of eight at
once each has its first character at once, a short text never waits for a long one to end, and who
asks for many texts slows nobody else down. More threads would only wait for each other: Python runs
one at a time, and the products are too small to be shared. The event loop stays free.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from textgen.serving.refusal import Refused

MOST = 64
"""Requests that are written for at the same time; more are refused, and may come again."""

T = TypeVar("T")


class Turns:
    """The thread, and how many take turns on it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "writing")  # with a queue: first in, first out
        self._stopped = False
        self.taking = 0
        """Requests that are written for now."""

    async def take(self, steps: Iterator[T]) -> AsyncGenerator[T]:
        """Yield what an iterator has, a turn for each step; none of them may be None.

        Nobody draws the next step before the last one was taken: who reads slowly is written for
        slowly, and who leaves (and closes this) is not written for any more.

        Raises:
            Refused: too many are waiting, or the server stops.
        """
        if self.taking >= MOST:
            raise Refused(
                429,
                f"{MOST} requests are being written for already: ask again later",
                code="too_many_requests",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        self.taking += 1
        try:
            while (step := await loop.run_in_executor(self._thread, self._turn, steps)) is not None:
                yield step
        finally:
            self.taking -= 1

    def stop(self) -> None:
        """Let everybody who waits for a turn be told that there is none."""
        self._stopped = True

    def _turn(self, steps: Iterator[T]) -> T | None:
        if self._stopped:
            raise Refused(503, "the server stops: ask again when it is back", code="stopping")
        return next(steps, None)
