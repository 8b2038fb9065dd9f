"""Files that hold much text are learned from by way of a store, which is built once and kept.

    ROOT/.stores/KEY/NAME   the store

It lies in a hidden folder beside the runs, and belongs to what the files hold and to how they are
read: a copy of them under other names has the same one, and files that have changed another. An old
one goes when nobody asks for it any more, and no run learned from it.
"""

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
from textgen.reading.fingerprints import Fingerprint, fingerprints
from textgen.reading.provisional import File
from textgen.text.store import FORMAT, is_store
from textgen.training.asked import Asked, asked_for, note
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
    stores = root / _STORES
    before = (asked for one in stores.glob("*") for asked in asked_for(one))
    found = fingerprints(files, (file for asked in before for file in asked.files))
    content = [(one.sha256, _ending(file.path)) for file, one in zip(files, found, strict=True)]
    read_so = [asdict(config), asdict(settings.reading), FORMAT, __version__]
    folder = stores / _digest([content, read_so])
    place = next(filter(is_store, folder.glob("[!.]*")), folder / paths[0].absolute().name)
    if is_store(place):
        log.info("These files are in the store %s already", place)
    else:
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
        _require_unchanged(files, found, folder)
    these = Asked([str(path.absolute()) for path in paths], found)
    note(folder, these, root)
    return place


def _require_unchanged(files: Sequence[File], before: Sequence[Fingerprint], folder: Path) -> None:
    """Remove a store that was built of other files than those that it is called after.

    Raises:
        TextgenError: it was.
    """
    for file, now, then in zip(files, fingerprints(files, before), before, strict=True):
        if now.sha256 != then.sha256:
            shutil.rmtree(folder, ignore_errors=True)
            raise TextgenError(
                "{path} changed while it was read: read it again when nobody writes to it",
                path=file.path,
            )


def _ending(path: Path) -> str:
    """Return the end of a file's name, of which depends how it is read."""
    return "".join(path.suffixes[-2:]).lower()


def _digest(values: Any) -> str:  # noqa: ANN401 - what JSON can have
    return sha256(to_json(values).encode()).hexdigest()[:_DIGITS]
