"""``metrics.jsonl``: the one truth about a run's numbers, a JSON object a line.

Training appends to it; dashboard and reports read it. The sanity suite has a record of the same
kind, with the curves and the results of its tasks.
"""

import json
import os
from pathlib import Path
from typing import TypedDict, cast

from textgen.errors import TextgenError
from textgen.files import write_atomically
from textgen.names import to_json


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
            raise TextgenError(f"{self.path} cannot be written: {error.strerror}") from None

    def sync(self) -> None:
        """Force what was appended to the disk: a checkpoint must not outlive its record.

        Raises:
            TextgenError: the disk is broken or full.
        """
        try:
            with self.path.open("ab") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise TextgenError(f"{self.path} cannot be written: {error.strerror}") from None

    def read(self) -> list[Entry]:
        """Return all entries; a line that a crash cut short is left out."""
        entries = []
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8", errors="replace").split("\n"):
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict):
                    entries.append(cast(Entry, entry))
        return entries

    def forget_after(self, step: int) -> None:
        """Drop what was recorded after a step: a resume from there records it again."""
        kept = [entry for entry in self.read() if entry.get("step", 0) <= step]
        lines = (to_json(entry) + "\n" for entry in kept)
        write_atomically(self.path, "".join(lines).encode())
