"""The work: batches of mutations in processes of their own, of which one may die."""

import gc
import os
import random
import shutil
import signal
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path

from fuzzing.bounds import Bounds, TooLong
from fuzzing.command import in_folder
from fuzzing.kind import Kind, World

_BATCH = 50
"""Mutations in a process, where they leave nothing behind."""

_MOST_SECONDS = 120.0
"""Until a process is ended that says nothing; it may wait for something that never comes."""


_FRAMES = 5
"""Of a traceback that are told; of the only mutation, all."""


@dataclass(frozen=True)
class Mutation:
    """A mutation that is to be tried."""

    number: int
    kind: Kind
    draw: random.Random


@dataclass(frozen=True)
class Tried:
    """What came of one."""

    number: int
    kind: str
    result: str
    """worked, refused or failed."""

    seconds: float
    """Of the processor's time."""

    problem: str = ""
    """Why it failed."""


def batches(mutations: Iterable[Mutation]) -> Iterator[list[Mutation]]:
    """Yield mutations in groups, each of which a process of its own tries."""
    together: list[Mutation] = []
    for mutation in mutations:
        if mutation.kind.alone:
            yield [mutation]
            continue
        together.append(mutation)
        if len(together) == _BATCH:
            yield together
            together = []
    if together:
        yield together


def try_all(
    mutations: Iterable[Mutation],
    sound: Path,
    folder: Path,
    monitor: tuple[str, int] | None,
    jobs: int,
    *,
    keep: bool = False,
) -> Iterator[Tried]:
    """Try mutations, some at once, and yield what came of each as it comes.

    Args:
        mutations: what to try.
        sound: the folder with what is sound.
        folder: where each has a folder.
        monitor: the address of a monitor.
        jobs: how many processes work at once.
        keep: whether the folders stay.
    """
    context = get_context("fork")
    todo = batches(mutations)
    again: deque[list[Mutation]] = deque()
    working: dict[Connection, tuple[ForkProcess, list[Mutation], float]] = {}
    gc.collect()
    gc.freeze()  # what is there already is shared with the processes for as long as can be
    while True:
        while len(working) < jobs and (batch := again.popleft() if again else next(todo, None)):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_try_batch, args=(batch, sound, folder, monitor, theirs, keep)
            )
            process.start()
            theirs.close()
            working[ours] = process, batch, time.monotonic()
        if not working:
            return
        for pipe in wait(list(working), timeout=1):
            if not isinstance(pipe, Connection):
                raise TypeError(pipe)
            process, batch, _ = working[pipe]
            try:
                yield pipe.recv()
                working[pipe] = process, batch[1:], time.monotonic()
            except EOFError:
                process.join()
                del working[pipe]
                if batch:
                    mutation, *others = batch
                    problem = f"its process died: {process.exitcode}"
                    yield Tried(mutation.number, mutation.kind.name, "failed", 0.0, problem)
                    again.extend([others] if others else [])
        for process, _, since in working.values():
            if time.monotonic() - since > _MOST_SECONDS:
                process.kill()


def _try_batch(
    batch: list[Mutation],
    sound: Path,
    folder: Path,
    monitor: tuple[str, int] | None,
    results: Connection,
    keep: bool,
) -> None:
    """Try mutations one after the other in this process, which is for nothing else."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    outside: list[str] = []
    bounds = Bounds(folder, outside.append)
    bounds.enter()
    for mutation in batch:
        here = folder / str(mutation.number)
        here.mkdir()
        in_folder(here)
        outside.clear()
        before = time.process_time()
        bounds.begin()
        try:
            result, problem = mutation.kind.attempt(mutation.draw, World(sound, here, monitor)), ""
        except KeyboardInterrupt:
            raise
        except (Exception, TooLong, SystemExit):
            result, problem = "failed", traceback.format_exc(limit=None if keep else -_FRAMES)
        finally:
            bounds.end()
        if outside:
            result, problem = "failed", f"outside of its folder: {outside}\n{problem}"
        seconds = time.process_time() - before
        os.chdir(folder)
        if not keep:
            shutil.rmtree(here, ignore_errors=True)
        results.send(Tried(mutation.number, mutation.kind.name, result, seconds, problem))
    results.close()
    os._exit(0)  # threads that are left behind are not waited for
