"""Time on the wall counts, also where the processor is shared; a stop does not."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.training.clock import Clock


def clock_of(intervals: list[float]) -> Clock:
    def times() -> Iterator[float]:
        now = 1000.0
        yield now
        for interval in intervals:
            now += interval
            yield now

    return Clock(now=times().__next__)


@given(st.lists(st.floats(0, 9.99), max_size=50))
def test_what_takes_less_than_ten_seconds_counts(intervals: list[float]) -> None:
    clock = clock_of(intervals)
    for _ in intervals:
        clock.read()
    assert clock.seconds == pytest.approx(sum(intervals))
    assert clock.stopped == 0


@given(st.lists(st.floats(0.001, 4), min_size=1), st.floats(10.1, 1e6), st.lists(st.floats(0, 4)))
def test_a_stop_counts_as_much_as_the_step_before(
    before: list[float], stop: float, after: list[float]
) -> None:
    clock = clock_of([*before, stop, *after])
    for _ in (*before, stop, *after):
        clock.read()
    assert clock.seconds == pytest.approx(sum(before) + before[-1] + sum(after))
    assert clock.stopped == pytest.approx(stop - before[-1])


def test_steps_that_take_half_a_minute_each_count() -> None:
    clock = clock_of([30.0] * 5)
    for _ in range(5):
        clock.read()
    assert clock.seconds == 150


def test_the_time_before_the_start_does_not_count() -> None:
    clock = clock_of([5.0, 2.0])
    clock.start(100.0)
    assert clock.read() == 102
