"""The command's start."""

import resource
import statistics
import subprocess
import sys

from benchmarks.timing import Clock, Row

_COMMAND = ["-m", "textgen", "--help"]
_WANTED = 0.4
"""Seconds of CPU time."""


def start(_text: str, clock: Clock) -> list[Row]:
    """Start ``textgen --help``, against the time that it may take."""
    listed = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-X", "importtime", *_COMMAND], capture_output=True, check=True
    ).stderr.decode()
    modules = {line.split("|")[-1].strip() for line in listed.splitlines()}
    if modules & {"torch", "jieba", "opencc", "prompt_toolkit"}:
        raise SystemExit("textgen --help imports what it does not need")
    seconds = statistics.median(_cpu_seconds() for _ in range(min(5, clock.rounds)))
    return [Row("start of textgen --help", seconds, _WANTED, 1.0, "torch is not imported")]


def _cpu_seconds() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *_COMMAND], stdout=subprocess.DEVNULL, check=True)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
