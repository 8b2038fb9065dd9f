"""``metrics.jsonl``: the one truth about a run's numbers, a JSON object a line.

Training appends to it; dashboard and reports read it. Every line has ``step``, ``epoch`` (a
number with its part), ``tokens`` (trained on so far) and ``seconds`` (of training so far), and
then what was measured there:

    loss, perplexity, tokens_per_second, learning_rate,
        gradient_norm                                  of the steps since the last line; loss and
        perplexity are estimates where the softmax is sampled, see model/loss.py
    held_out_perplexity, held_out_bits_per_character,
        sample                                         at an evaluation
    best_step, best_held_out_perplexity,
        best_held_out_bits_per_character               at the end: what the best weights are of, and
        how they judge the held-out part read strictly in order

The sanity suite has a record of the same kind, see plots/suite.py.
"""

import json
from pathlib import Path
from typing import Any

from textgen.errors import TextgenError
from textgen.files import write_atomically

Entry = dict[str, Any]


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
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
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
                    entries.append(entry)
        return entries

    def forget_after(self, step: int) -> None:
        """Drop what was recorded after a step: a resume from there records it again."""
        kept = [entry for entry in self.read() if entry.get("step", 0) <= step]
        lines = (json.dumps(entry, ensure_ascii=False) + "\n" for entry in kept)
        write_atomically(self.path, "".join(lines).encode())
