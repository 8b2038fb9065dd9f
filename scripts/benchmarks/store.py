"""A store of much text: how fast and in how much memory it is built, and how soon it is trained on.

The text is made: lines of a novel, or of the sample, in orders drawn at random. It says nothing of
what a model learns, and everything of what it costs.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textgen.reading.corpus import read_corpus
from textgen.text.store import Store

FILE = 4_000_000
"""Bytes of a file, about."""

_FIRST_STEP = """
import sys, time, textgen
class Enough(Exception): pass
def stop(moment):
    print(time.process_time())
    raise Enough
try:
    textgen.train(sys.argv[1], textgen.Settings.of({length}, device="cpu"), "first", sys.argv[2],
                  on_step=stop)
except Enough:
    pass
"""


def make_texts(folder: Path, novel: Path, megabytes: int) -> None:
    """Fill a folder with files, no two of which are the same."""
    lines = read_corpus([novel]).text.splitlines()
    a_line = sum(len(line.encode()) + 1 for line in lines) / len(lines)
    draw = random.Random(0)  # noqa: S311 - no secret
    for number in range(max(2, megabytes * 1_000_000 // FILE)):
        text = "\n".join((str(number), *draw.choices(lines, k=int(FILE / a_line))))
        (folder / f"{number:06}.txt").write_text(text, "utf-8")


def main(arguments: list[str]) -> None:
    """Print what a store comes to."""
    parser = argparse.ArgumentParser(prog="bench store")
    parser.add_argument("novel", nargs="?", type=Path, default=Path("corpus/sample.txt"))
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--folder", type=Path, help="where there is room for four times as much")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--tokens", choices=["character", "word"], default="character")
    asked = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        (texts := folder / "texts").mkdir()
        make_texts(texts, asked.novel, asked.megabytes)
        build = [*_TEXTGEN, "corpus", "build", str(folder / "store"), str(texts)]
        build += ["--workers", str(asked.workers), "--tokens", asked.tokens]
        _built(build, texts)
        store = Store(folder / "store")
        units, learned, held_out = store.vocab.units, len(store.training), len(store.held_out)
        print(f"{learned:,} {units} to learn from, {held_out:,} held out")
        for length in ("epochs=1.0", "minutes=10.0"):
            _first_step(folder, length)
        train = [*_TEXTGEN, "train", str(folder / "store"), "--no-visdom", "--minutes", "1"]
        train += ["--checkpoints", str(folder / "runs")]
        again = [*build[:5], str(folder / "again"), *build[6:]]
        for what, command in (("corpus build", again), ("train", train)):
            print(f"{what} stops after Ctrl-C in CPU time of", ", ".join(_stops(command)))
    finally:
        shutil.rmtree(folder)


_TEXTGEN = [sys.executable, "-m", "textgen"]
_NOWHERE = subprocess.DEVNULL


def _started(command: list[str], stdout: int = _NOWHERE) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stdout=stdout, stderr=_NOWHERE, text=True)  # noqa: S603 - ours


def _built(command: list[str], texts: Path) -> None:
    size = sum(path.stat().st_size for path in texts.iterdir()) / 1e6
    before, began = _children(), time.perf_counter()
    with _started(command) as process, _memory(process.pid) as most:
        process.wait()
    if process.returncode:
        raise SystemExit(f"{command} failed")
    cpu, took = _children() - before, time.perf_counter() - began
    print(
        f"built of {size:,.0f} MB in {took:,.1f} s, {cpu:,.1f} CPU-s: {size / cpu:,.1f} MB "
        f"a CPU-s; {most[0] / 1e6:,.0f} MB of memory at most, of all processes together"
    )


def _first_step(folder: Path, length: str) -> None:
    program = [sys.executable, "-c", _FIRST_STEP.replace("{length}", length)]
    command = [*program, str(folder / "store"), str(folder / "runs")]
    with _started(command, subprocess.PIPE) as process, _memory(process.pid) as most:
        seconds = float(process.communicate()[0])
    shutil.rmtree(folder / "runs")
    print(
        f"the first step with {length}: {seconds:.1f} CPU-s after the start; "
        f"{most[0] / 1e6:,.0f} MB of memory at most"
    )


def _stops(command: list[str]) -> Iterator[str]:
    """Yield how much processor time a command takes after Ctrl-C, at several moments."""
    for moment in (0.2, 0.5, 1, 2, 3, 4, 6, 8, 12):
        before = _children()
        with _started(command) as process:
            time.sleep(moment)
            if process.poll() is not None:
                return  # it was done before
            gone = sum(map(_cpu_of, _family(process.pid)))
            process.send_signal(signal.SIGINT)
        yield f"{max(0.0, _children() - before - gone):.2f} s"


def _children() -> float:
    """Return the processor time of all children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _cpu_of(pid: int) -> float:
    """Return the processor time that a process has had."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _memory(pid: int) -> Iterator[list[int]]:
    """Yield the most memory that a process and its children have had, as it grows."""
    most, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            most[0] = max(most[0], sum(map(_bytes_of, _family(pid))))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))
    except OSError:  # it is over
        return


def _bytes_of(pid: int) -> int:
    """Return the memory that a process takes, shared pages divided by who shares them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
