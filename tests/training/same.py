"""Two runs that are to be the same: their records without the clock's, and their weights."""

import torch
from safetensors.torch import load_file

from textgen.runs.folder import Run
from textgen.runs.record import Entry

TIMES = ("seconds", "spent", "tokens_per_second")


def without_times(entries: list[Entry]) -> list[dict[str, object]]:
    return [{name: value for name, value in e.items() if name not in TIMES} for e in entries]


def assert_same_weights(ours: Run, theirs: Run) -> None:
    for name in ("best.safetensors", "last.safetensors"):
        mine, other = load_file(ours.folder / name), load_file(theirs.folder / name)
        assert mine.keys() == other.keys()
        assert all(torch.equal(mine[key], other[key]) for key in mine)


def assert_same(ours: Run, theirs: Run) -> None:
    assert without_times(ours.record.read()) == without_times(theirs.record.read())
    assert_same_weights(ours, theirs)
