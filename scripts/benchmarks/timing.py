"""CPU time of several things, measured in turn."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    name: str
    ours: float
    """Seconds of CPU time."""
    baseline: float
    wanted: float
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.baseline / self.ours


@dataclass(frozen=True)
class Clock:
    rounds: int
    seconds: float
    """At least so long each thing is repeated in a round."""

    def medians(self, *calls: Callable[[], object]) -> list[float]:
        """Return the median CPU seconds of a call of each."""
        times: list[list[float]] = [[] for _ in calls]
        for call in calls:
            call()  # the first one pays for memory and caches
        for _ in range(self.rounds):
            for call, measured in zip(calls, times, strict=True):
                began, count = time.process_time(), 0
                while time.process_time() - began < self.seconds or not count:
                    call()
                    count += 1
                measured.append((time.process_time() - began) / count)
        return [statistics.median(measured) for measured in times]

    def compare(
        self, ours: Callable[[], object], baseline: Callable[[], object]
    ) -> tuple[float, float]:
        """Return the median CPU seconds of a call of each."""
        first, second = self.medians(ours, baseline)
        return first, second
