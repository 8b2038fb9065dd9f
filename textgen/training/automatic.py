"""Files that hold much text are learned from by way of a store, which is built once and kept.

It lies in a hidden folder beside the runs, and belongs to these files as they are: when one of
them is another, or is read otherwise, a new one is built. An old one goes with the last run that
learned from it.
"""

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from textgen.config import Settings, StoreConfig
from textgen.errors import TextgenError
from textgen.names import to_json
from textgen.reading.building import build_store, listed
from textgen.runs.finding import run_folders
from textgen.text.store import FORMAT, is_store
from textgen.version import __version__

log = logging.getLogger(__name__)

LARGE = 20_000_000
"""Bytes of files from which on what is learned from them is not held in memory."""

_MANY = 20
"""Files of which some are held out as a whole; of fewer, the end of each."""

_STORES = ".stores"
_DIGITS = 16


def automatic_store(paths: Sequence[Path], settings: Settings, root: Path) -> Path | None:
    """Return the store of files that hold much text, built now or before.

    Args:
        paths: files and folders.
        settings: how they are read, and what of them is learned from.
        root: the folder that runs are in.

    Returns:
        None for little text, and where it is cut into items, or only its beginning is used: then
        it is read into memory.

    Raises:
        TextgenError: as ``build_store``.
    """
    corpus = settings.corpus
    if corpus.items or corpus.max_tokens is not None or any(map(is_store, paths)):
        return None
    files, _ = listed(paths)
    size = sum(file.size for file in files)
    if size < LARGE:
        return None
    config = StoreConfig(
        corpus.tokens,
        corpus.min_count,
        corpus.max_vocab,
        corpus.held_out,
        "file" if len(files) >= _MANY else "end",
    )
    these = _digest([str(path.absolute()) for path in paths])
    state = [(str(file.path), file.size, file.path.stat().st_mtime_ns) for file in files]
    read_so = [asdict(config), asdict(settings.reading), FORMAT, __version__]
    stores = root / _STORES
    folder = stores / f"{these}-{_digest([state, read_so])}"
    place = folder / paths[0].absolute().name
    if is_store(place):
        log.info("These files are in the store %s already", place)
        return place
    log.info(
        "%s MB are too much to hold in memory: they are read into the store %s, once",
        f"{size / 1e6:,.0f}",
        place,
    )
    try:
        build_store(place, paths, config, settings.reading)
    except TextgenError:
        if not is_store(place):  # else somebody beside this one has built it
            raise
    for other in stores.glob(f"{these}-*"):
        if other != folder and not _needed(other, root):
            shutil.rmtree(other, ignore_errors=True)
    return place


def _digest(values: Any) -> str:  # noqa: ANN401 - what JSON can have
    return sha256(to_json(values).encode()).hexdigest()[:_DIGITS]


def _needed(folder: Path, root: Path) -> bool:
    """Return whether a run learned from a store in a folder, or may have."""
    for run in run_folders(root):
        try:
            store = json.loads((run / "config.json").read_text("utf-8")).get("store")
        except (OSError, ValueError, AttributeError):
            return True
        if store is not None and Path(store).parent == folder.absolute():
            return True
    return False
