"""How soon and how fast runs write: by the clock and in CPU time."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textgen.config import GenerationConfig
from textgen.runs.trained import load
from textgen.writing.decoder import Decoder
from textgen.writing.generation import write_on, write_several

ROUNDS = 5
ONE = GenerationConfig(length=2000, seed=0)
MANY = GenerationConfig(length=100, seed=0)
TEXTS = 64
LONG = 100_000
"""Characters of a long prefix."""


def writing_with(folder: Path) -> None:
    """Print what a run comes to."""
    command = [sys.executable, "-m", "textgen", "generate", str(folder), "--prefix", "却说"]
    first = [*command, "--seed", "1", "--length", "1"]
    clock, cpu = _medians(lambda: subprocess.run(first, capture_output=True, check=True))  # noqa: S603
    _print(folder, "the first character, the whole process", f"{clock:.2f} s, {cpu:.2f} CPU-s")
    trained = load(folder)
    for who, writer in (("network", replace(trained, learned=None)), ("product", trained)):
        decoder = Decoder.of(writer)
        context = decoder.read("却说")
        clock, cpu = _medians(lambda: sum(1 for _ in write_on(decoder, context, ONE)))  # noqa: B023
        _print(folder, f"{who}, one text", f"{ONE.length / cpu:,.0f} characters a CPU-s")
        clock, cpu = _medians(
            lambda: sum(1 for _ in write_several(decoder, context, MANY, range(TEXTS)))  # noqa: B023
        )
        count = TEXTS * MANY.length
        speeds = f"{count / clock:,.0f} characters/s, {count / cpu:,.0f} a CPU-s"
        _print(folder, f"{who}, {TEXTS} texts on {os.cpu_count()} cores", speeds)
    text = (trained.run.split()[0] * (1 + LONG // len(trained.run.split()[0])))[:LONG]
    clock, cpu = _medians(lambda: decoder.read(text))
    _print(folder, f"a prefix of {LONG:,} characters", f"{clock:.2f} s, {cpu:.2f} CPU-s")


def _medians(call: Callable[[], object]) -> tuple[float, float]:
    """Return the median seconds of a call: on the clock, and of CPU time with its processes."""
    times = []
    for _ in range(ROUNDS):
        began, spent = time.perf_counter(), _cpu_seconds()
        call()
        times.append((time.perf_counter() - began, _cpu_seconds() - spent))
    clock, cpu = zip(*times, strict=True)
    return statistics.median(clock), statistics.median(cpu)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in used)


def _print(folder: Path, name: str, found: str) -> None:
    print(f"{folder.name:16} {name:42} {found}", flush=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench writing", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders")
    for folder in parser.parse_args(arguments).runs:
        writing_with(folder)
