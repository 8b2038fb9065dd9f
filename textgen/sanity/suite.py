"""The suite: every task on every kind of layers that it is for, and what came out of each."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from textgen.config import SanityConfig, SanityTask
from textgen.errors import UsageError
from textgen.language import _
from textgen.runs.record import Record
from textgen.sanity.addition import addition
from textgen.sanity.copy_memory import copy_memory
from textgen.sanity.long_numbers import long_numbers
from textgen.sanity.memory_cell import memory_cell
from textgen.sanity.parity import parity
from textgen.sanity.problem import Problem, Sign, read_problem
from textgen.sanity.scalar import scalar
from textgen.sanity.subtraction import subtraction
from textgen.sanity.trial import Finding, Trial

_BOTH = "both"
"""What stands in place of a model's name where the two are compared."""

_OF_MODEL = {
    "scratch": {"scratch", _BOTH},
    "nn": {"nn", "gru", "rnn", _BOTH},
    "both": {"scratch", "nn", "gru", "rnn", _BOTH},
}
"""The kinds of layers that ``--model`` asks for."""


@dataclass(frozen=True)
class Task:
    """A task, the kinds of layers that it is for, and the sign of what it can be asked."""

    run: Callable[[Trial], Finding]
    models: tuple[str, ...] = ("scratch", "nn")
    sign: Sign | None = None


TASKS: dict[SanityTask, Task] = {
    "subtraction": Task(subtraction, ("scratch", "nn", "gru"), sign="-"),
    "addition": Task(addition, sign="+"),
    "memory-cell": Task(memory_cell),
    "scalar": Task(scalar),
    "parity": Task(parity, (_BOTH,)),
    "long-numbers": Task(long_numbers),
    "copy-memory": Task(copy_memory, ("scratch", "nn", "rnn")),
}


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    task: str
    model: str
    finding: Finding
    seconds: float

    def as_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "task": self.task,
            "model": self.model,
            "passed": self.finding.passed,
            "seconds": round(self.seconds, 3),
            "asked": self.finding.aim.english(),
            "result": self.finding.outcome.english(),
            "figures": self.finding.figures,
            "answers": [answer.as_json() for answer in self.finding.answers],
        }


def run_suite(
    config: SanityConfig, record: Record, models: Collection[str] | None = None
) -> Iterator[Row]:
    """Run the tasks that the settings name, one after the other; yield what came out of each.

    Args:
        config: which tasks, which layers, which seed.
        record: where curves and results are written, after what stood there is gone.
        models: the kinds of layers; those that the settings name when not given.

    Raises:
        UsageError: a problem cannot be asked; at once, before anything is run.
    """
    models = _OF_MODEL[config.model] if models is None else models
    return _run_suite(config, record, models, problems_asked(config))


def problems_asked(config: SanityConfig) -> tuple[Problem, ...]:
    """Return the problems that the settings ask.

    Raises:
        UsageError: one cannot be asked, or it is not clear which task is.
    """
    if not config.ask:
        return ()
    tasks = set(config.task)
    sign = TASKS[tasks.pop()].sign if len(tasks) == 1 else None
    if sign is None:
        can = _(" or ").join(f"--task {name}" for name, task in TASKS.items() if task.sign)
        line = " ".join(config.ask[0].split())
        raise UsageError("--ask {line} needs the one task that is asked: {can}", line=line, can=can)
    return tuple(read_problem(written, sign) for written in config.ask)


def _run_suite(
    config: SanityConfig,
    record: Record,
    models: Collection[str],
    problems: tuple[Problem, ...],
) -> Iterator[Row]:
    folder = record.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    record.forget_after(-1)
    for left in folder.glob("*.safetensors"):  # of a suite that was stopped
        left.unlink()
    for name in dict.fromkeys(config.task or TASKS):
        for model in TASKS[name].models:
            if model in models:
                trial = Trial(name, model, config.seed, config.full, record, problems)
                began = time.perf_counter()
                with _undisturbed(config.seed):
                    finding = TASKS[name].run(trial)
                row = Row(name, model, finding, time.perf_counter() - began)
                trial.note(
                    {
                        "asked": finding.aim.english(),
                        "result": finding.outcome.english(),
                        "passed": finding.passed,
                        "seconds": round(row.seconds, 3),
                    }
                )
                yield row


@contextmanager
def _undisturbed(seed: int) -> Iterator[None]:
    """Seed what is drawn inside; tiny networks are fastest on one thread. Then all is as before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def answers_table(rows: list[Row]) -> str:
    """Return a line for each answer to what was asked, under the layers that gave it."""
    return "\n".join(
        line
        for row in rows
        if row.finding.answers
        for line in (
            f"{row.task} {row.model}",
            *(answer.problem.worked(answer.found) for answer in row.finding.answers),
        )
    )
