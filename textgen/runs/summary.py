"""What a run came to: the figures of its record, its size, its age."""

import math
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from textgen.names import readable
from textgen.runs.folder import Run
from textgen.runs.record import Entry, best_figures, number_in
from textgen.runs.weights import shapes

_BITS = "held_out_bits_per_character"


@dataclass(frozen=True)
class Summary:
    """A run in figures; what was not measured, or is no number, is not there."""

    run: Run
    entries: list[Entry]

    @classmethod
    def of(cls, run: Run) -> "Summary":
        """Read a run's record."""
        return cls(run, run.record.read())

    @property
    def files(self) -> list[str]:
        """What was learned from, as paths that people can read."""
        paths = (file.get("path") for file in self.run.config.get("files", ()))
        return [readable(path) for path in paths if path]

    @property
    def text(self) -> str:
        """What was learned from, in short: the first file's name, and how many more there are."""
        first, *more = (Path(file).name for file in self.files or [""])
        return f"{first} +{len(more)}" if more else first

    @property
    def text_key(self) -> str:
        """What two runs have in common that learned from the same text."""
        return str(self.run.config.get("text_sha256") or self.files)

    @cached_property
    def parameters(self) -> int:
        """Weights of the network."""
        found = shapes(len(self.run.vocab), self.run.settings.model)
        return sum(math.prod(shape) for shape in found.values())

    @property
    def size(self) -> int:
        """Bytes that the run's folder takes."""
        return size_of(self.run.folder)

    @property
    def age(self) -> float:
        """Seconds since its newest checkpoint, or where there is none yet, since it was made."""
        checkpoints = [path for path in (self.run.best, self.run.last) if path.exists()]
        made = self.run.folder / "config.json"
        return max(0.0, time.time() - max(p.stat().st_mtime for p in checkpoints or [made]))

    @property
    def minutes(self) -> float | None:
        """Minutes that it was trained."""
        seconds = self.newest("seconds")
        return None if seconds is None else seconds / 60

    @property
    def loss(self) -> float | None:
        """The newest loss in training."""
        return self.newest("loss")

    @cached_property
    def judged(self) -> dict[str, float]:
        """The figures of the best weights: as judged at the end, or on the way since then."""
        return best_figures(self.entries)

    @property
    def bits(self) -> float | None:
        """Bits per character of the best weights on the held-out part, with all that it has."""
        return self.judged.get(_BITS)

    @property
    def perplexity(self) -> float | None:
        """Their perplexity there, per token."""
        return self.judged.get("held_out_perplexity")

    @property
    def network_bits(self) -> float | None:
        """Bits per character of the network alone, where it has counts beside it."""
        return self.judged.get("network_bits_per_character")

    @property
    def static_bits(self) -> float | None:
        """Bits per character with counts of the training text only."""
        return self.judged.get("static_bits_per_character")

    @property
    def comparable(self) -> list[Entry]:
        """Its record without glances, which may judge less than an evaluation does."""
        return [entry for entry in self.entries if "glance" not in entry]

    @property
    def curve(self) -> list[tuple[float, float]]:
        """Minutes, and the bits per character that were measured then on the held-out part."""
        entries = self.comparable
        points = ((number_in(entry, "seconds"), number_in(entry, _BITS)) for entry in entries)
        return [(x / 60, y) for x, y in points if x is not None and y is not None]

    @property
    def sample(self) -> str | None:
        """The newest text that it wrote in its training."""
        texts = [text for entry in self.entries if isinstance(text := entry.get("sample"), str)]
        return texts[-1] if texts else None

    def newest(self, name: str) -> int | float | None:
        """Return the newest figure of that name in the record."""
        found = (number_in(entry, name) for entry in reversed(self.entries))
        return next((value for value in found if value is not None), None)


def size_of(folder: Path) -> int:
    """Return the bytes that the files of a folder have."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)
