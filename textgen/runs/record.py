"""``metrics.jsonl``: the one truth about a run's numbers, a JSON object a line.

Training appends to it; dashboard and reports read it. The sanity suite has a record of the same
kind, with the curves and the results of its tasks.
"""

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict, cast, get_type_hints

from textgen.errors import TextgenError, os_reason
from textgen.files import write_atomically
from textgen.names import to_json
from textgen.runs.format import FormatError, parse, require


class Entry(TypedDict, total=False):
    """A line: where the training stood, and what was measured there."""

    step: int
    epoch: float
    """Epochs done, with the part of the last one."""

    tokens: int
    """Tokens trained on so far."""

    seconds: float
    """Of training so far; of a task of the suite as a whole."""

    # Of the steps since the last line; loss and perplexity are estimates where the softmax is
    # sampled, see model/loss.py.
    loss: float
    perplexity: float
    tokens_per_second: float
    learning_rate: float
    gradient_norm: float

    # At an evaluation.
    held_out_perplexity: float
    held_out_bits_per_character: float
    # Only with counts, where held out is judged with all that the model has.
    network_bits_per_character: float
    static_bits_per_character: float
    held_out_tokens: int
    """How many were judged."""

    sample: str

    glance: bool
    """Whether it was judged for who watches only: no weights are kept, and none compared, for it.
    """

    # Where --minutes are a budget: what is planned from this step on, and the seconds spent of
    # all budgets so far, those of judging and saving included.
    total_steps: int
    span: int
    spent: float

    # At the end: what the best weights are of, and how they judge the held-out part read strictly
    # in order, or of a long one a sample.
    best_step: int
    best_held_out_perplexity: float
    best_held_out_bits_per_character: float
    best_network_bits_per_character: float
    best_static_bits_per_character: float
    best_held_out_tokens: int

    # Of the sanity suite: which task on which layers, and what it measured or found.
    task: str
    model: str
    accuracy: float
    out_0: float
    out_1: float
    errors: list[int]
    asked: str
    result: str
    passed: bool


_BITS = "held_out_bits_per_character"
_BEST = "best_"

_TYPES = get_type_hints(Entry)
_EVERY = {"step": int, "epoch": float, "tokens": int, "seconds": float}
"""What every line has that a training writes."""


def as_entry(values: object, path: Path) -> Entry:
    """Return values of a file that are to be an entry of a training.

    Raises:
        TextgenError: they are none.
    """
    try:
        require({"pending": values}, {"pending": dict}, missing=False)
        entry = cast(dict[str, Any], values)
        require(entry, _TYPES, missing=True)
        require(entry, _EVERY, missing=False)
    except FormatError as error:
        raise TextgenError("{path} is damaged: it {error}", path=path, error=error) from None
    return cast(Entry, entry)


def best_figures(entries: Iterable[Entry]) -> dict[str, float]:
    """Return how a run's best weights judge the held-out part, by the names in a record.

    They were judged at the end of the training; on the way, or when it went on, in an evaluation.
    What was not measured, or is no number, is not there.
    """
    best: dict[str, float] = {}
    for entry in entries:
        if "glance" in entry:  # no weights are kept for it
            continue
        at_the_end = _BEST + _BITS in entry
        found = {
            name.removeprefix(_BEST): value
            for name in entry
            if name.startswith(_BEST) == at_the_end
            and (value := number_in(entry, name)) is not None
        }
        if at_the_end or found.get(_BITS, math.inf) < best.get(_BITS, math.inf):
            best = found
    return best


def number_in(entry: Mapping[str, Any], name: str) -> int | float | None:
    """Return a figure of an entry, if there is one that is a number."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


class Record:
    """A run's ``metrics.jsonl``, open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, entry: Entry) -> None:
        """Append a line, in one write.

        Raises:
            TextgenError: the disk is full, or the folder is gone.
        """
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(to_json(entry) + "\n")
        except OSError as error:
            raise TextgenError(
                "{path} cannot be written: {reason}", path=self.path, reason=os_reason(error)
            ) from None

    def sync(self) -> None:
        """Force what was appended to the disk: a checkpoint must not outlive its record.

        Raises:
            TextgenError: the disk is broken or full.
        """
        try:
            with self.path.open("ab") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise TextgenError(
                "{path} cannot be written: {reason}", path=self.path, reason=os_reason(error)
            ) from None

    def read(self) -> list[Entry]:
        """Return all entries; a line that a crash cut short, or that is no entry, is left out."""
        entries = []
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8", errors="replace").split("\n"):
                try:
                    entry = parse(line)
                    require(entry, _TYPES, missing=True)
                except FormatError:
                    continue
                entries.append(cast(Entry, entry))
        return entries

    def check(self) -> None:
        """Look whether a training can go on with this record.

        A line that a crash cut short is none of it.

        Raises:
            TextgenError: a line lacks something, or has something else in its place.
        """
        if not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8", errors="replace").split("\n")
        for number, line in enumerate(lines, start=1):
            try:
                entry = parse(line)
            except FormatError:
                continue
            try:
                require(entry, _TYPES, missing=True)
                require(entry, _EVERY, missing=False)
            except FormatError as error:
                raise TextgenError(
                    "{path}, line {number}, {error}: mend the line, or remove it",
                    path=self.path,
                    number=number,
                    error=error,
                ) from None

    def forget_after(self, step: int) -> None:
        """Drop what was recorded after a step: a resume from there records it again."""
        kept = [entry for entry in self.read() if entry.get("step", 0) <= step]
        lines = (to_json(entry) + "\n" for entry in kept)
        write_atomically(self.path, "".join(lines).encode())
