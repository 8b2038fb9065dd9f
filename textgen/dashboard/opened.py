"""Runs as they are opened to be drawn: each once, and what is none costs the others nothing."""

from functools import lru_cache
from pathlib import Path

from textgen.runs.folder import Run


def open_run(folder: Path) -> Run | None:
    """Return a run; none where a folder is no run, or is being deleted this moment."""
    return _open(folder, written(folder))


def written(folder: Path) -> int:
    """Return when a run's settings were last written: it began then, or went on."""
    return _time(folder / "config.json")


def made(folder: Path) -> int:
    """Return when a run was made: its vocabulary is written once."""
    return _time(folder / "vocab.json")


@lru_cache(maxsize=1000)
def _open(folder: Path, _written: int) -> Run | None:
    """Return a run, opened only once for every state of its settings."""
    try:
        return Run(folder)
    except Exception:  # a folder may hold anything, and one run is not to cost the others
        return None


def _time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # deleted this moment
        return 0
