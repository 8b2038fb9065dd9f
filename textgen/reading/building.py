"""From any amount of text to a store: read in parallel, numbered, written, in little memory.

First every process reads its part of the files and writes it under provisional ids. When all are
read, characters are counted, and their ids are known; then the ids of one text after the other
take the place of the provisional ones. What comes of it is the same, however many processes read.

Shapes: n characters of a text, k different ones in a part, V vocabulary.
"""

import contextlib
import logging
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.bars import progress_bar
from textgen.config import ReadingConfig, StoreConfig
from textgen.errors import TextgenError, UsageError, os_reason
from textgen.files import sync_folder
from textgen.interrupts import handling
from textgen.language import Message, _
from textgen.names import readable
from textgen.reading.corpus import Corpus
from textgen.reading.folders import look_into, require_file
from textgen.reading.holding_out import held_out_of
from textgen.reading.processes import cores, in_processes
from textgen.reading.provisional import File, Part, ReadText, Task, read_part
from textgen.text.store import About, Ids, Store, bytes_per_token, id_type, write_store
from textgen.text.vocab import CODE_POINTS, Vocab

log = logging.getLogger(__name__)

_TASK = 8_000_000
"""Bytes of files, about, that a process reads before it tells what came of them."""

_LITTLE = 20_000_000
"""Bytes of files up to which this process reads them itself: others take as long to start."""

_PIECE = 2**20
"""Ids that are in memory at a time."""

_UNFINISHED_SECONDS = 3600.0
"""Seconds after which a folder that never became a store is nobody's any more."""

_TOLD = 5
"""Lines about single files that are shown."""


@dataclass(frozen=True)
class _Kept:
    """A text that is part of the store."""

    text: ReadText
    part: Part
    held_out: int
    """Characters at its end that are held out."""

    @property
    def training(self) -> slice:
        """Its characters to learn from."""
        return slice(0, self.text.count - self.held_out)

    @property
    def rest(self) -> slice:
        """Those held out."""
        return slice(self.text.count - self.held_out, self.text.count)

    def ids(self, characters: slice) -> Iterator[Ids]:
        """Yield the provisional ids of some of its characters, piece by piece."""
        for first in range(characters.start, characters.stop, _PIECE):
            yield self.text.ids(slice(first, min(first + _PIECE, characters.stop)))


def build_store(
    out: Path,
    paths: Sequence[Path],
    config: StoreConfig = StoreConfig(),
    reading: ReadingConfig = ReadingConfig(),
    workers: int | None = None,
) -> Store:
    """Read files and folders into a new store, which appears whole or not at all.

    Args:
        out: the folder that becomes the store.
        paths: text files, and folders of them, as ``read_corpus`` reads them.
        config: what becomes of the texts.
        reading: how files become text.
        workers: processes that read; as many as there are cores when not given.

    Raises:
        UsageError: ``out`` is there already, or the settings leave nothing to learn from.
        TextgenError: a named file cannot be read, there is no text, or the disk is full.
        KeyboardInterrupt: somebody asked to stop; nothing is left.
    """
    if out.exists():
        raise UsageError("{path} exists already: choose another name", path=out)
    began = time.perf_counter()
    files, left_out = listed(paths)
    with _unfinished(out) as folder, handling(_stop):
        try:
            (provisional := folder / "provisional").mkdir()
            parts = _read(files, provisional, reading, workers or cores())
            kept = _kept(parts, left_out, config)
            _write(folder, kept, left_out, config, reading)
            shutil.rmtree(provisional)
            folder.rename(out)
            sync_folder(out.parent)
        except OSError as error:
            raise TextgenError(
                "{path} cannot be written: {reason}", path=out, reason=os_reason(error)
            ) from None
    store = Store(out)
    _tell(store, kept, left_out, paths, time.perf_counter() - began)
    return store


def listed(paths: Sequence[Path]) -> tuple[list[File], list[tuple[Path, Message]]]:
    """Return the files to read, in their order, and what in folders is left out."""
    files: list[File] = []
    left_out: list[tuple[Path, Message]] = []
    for path in paths:
        require_file(path)
        if path.is_dir():
            folder = look_into(path)
            left_out += folder.left_out
            files += [File(file, file.stat().st_size, named=False) for file in folder.files]
        else:
            files.append(File(path, path.stat().st_size, named=True))
    return files, left_out


def _read(
    files: Sequence[File], folder: Path, reading: ReadingConfig, workers: int
) -> Sequence[Part]:
    """Read files into a folder."""
    total = sum(file.size for file in files)
    tasks = [
        Task(tuple(some), folder / f"{number}.ids", reading)
        for number, some in enumerate(_grouped(files))
    ]
    parts = []
    with progress_bar(total, _("bytes"), _("reading"), delay=1.0) as bar:
        found = (
            map(read_part, tasks) if total < _LITTLE else in_processes(read_part, tasks, workers)
        )
        for part in found:
            parts.append(part)
            bar.update(part.size)
    return parts


def _grouped(files: Sequence[File]) -> Iterator[list[File]]:
    """Yield files by so many bytes together, about."""
    group, size = list[File](), 0
    for file in files:
        group.append(file)
        size += file.size
        if size >= _TASK:
            yield group
            group, size = [], 0
    if group:
        yield group


def _kept(
    parts: Sequence[Part], left_out: list[tuple[Path, Message]], config: StoreConfig
) -> list[_Kept]:
    """Return the texts that are part of the store, none twice, and what of each is held out."""
    known: dict[str, Path] = {}
    texts: list[tuple[ReadText, Part]] = []
    for part in parts:
        left_out += part.left_out
        for text in part.texts:
            if text.sha256 in known:
                same = Message("is the same text as {path}", path=known[text.sha256])
                left_out.append((text.path, same))
            else:
                known[text.sha256] = text.path
                texts.append((text, part))
    held_out = held_out_of([text.count for text, _ in texts], config)
    return [_Kept(*one, count) for one, count in zip(texts, held_out, strict=True)]


def _write(
    folder: Path,
    kept: Sequence[_Kept],
    left_out: Sequence[tuple[Path, Message]],
    config: StoreConfig,
    reading: ReadingConfig,
) -> None:
    """Give the characters their ids, and write the store."""
    if not kept:
        raise TextgenError(
            "no text can be read: {named}", named=_(", ").join(_about_left_out(folder, left_out))
        )
    total = sum(one.text.count for one in kept)
    with progress_bar(2 * total, _("characters"), _("writing"), delay=1.0) as bar:
        learned, rest = (
            _occurrences(kept, characters, bar.update)
            for characters in (lambda one: one.training, lambda one: one.rest)
        )
        vocab = _vocab_of(learned + rest, config.min_count)
        id_of = np.zeros(CODE_POINTS, np.int32)
        id_of[list(map(ord, vocab.tokens[1:]))] = np.arange(1, len(vocab))
        occurring = np.bincount(id_of, learned, minlength=len(vocab)).astype(np.int64)
        if not occurring[1:].any():
            raise UsageError(
                "--min-count {min_count} leaves no token of the text: lower it",
                min_count=config.min_count,
            )
        size = bytes_per_token(len(vocab))

        def ids(characters: Callable[[_Kept], slice]) -> Iterator[Ids]:
            for one in kept:
                table = id_of[one.part.code_points].astype(id_type(size))
                for piece in one.ids(characters(one)):
                    yield table[piece]
                    bar.update(len(piece))

        about = About(
            training_tokens=sum(one.text.count - one.held_out for one in kept),
            held_out_tokens=sum(one.held_out for one in kept),
            texts=len(kept),
            bytes_per_token=size,
            settings=asdict(config),
            reading=asdict(reading),
            occurring=occurring.tolist(),
        )
        training, held_out = ids(lambda one: one.training), ids(lambda one: one.rest)
        write_store(folder, about, vocab, training, held_out, _provenance(kept, left_out))


def _occurrences(
    kept: Sequence[_Kept], characters: Callable[[_Kept], slice], watch: Callable[[int], object]
) -> NDArray[np.int64]:
    """Return how often each code point stands in some of the characters of each text."""
    counts = np.zeros(CODE_POINTS, np.int64)
    for one in kept:
        for piece in one.ids(characters(one)):
            counts[one.part.code_points] += np.bincount(piece, minlength=len(one.part.code_points))
            watch(len(piece))
    return counts


def _vocab_of(counts: NDArray[np.int64], min_count: int) -> Vocab:
    """Return the vocabulary of a text in which the code points occur so often."""
    found = np.flatnonzero(counts)
    named = zip(map(chr, found.tolist()), counts[found].tolist(), strict=True)
    return Vocab.of_counts(dict(named), min_count=min_count)


def _provenance(
    kept: Sequence[_Kept], left_out: Sequence[tuple[Path, Message]]
) -> Iterator[dict[str, Any]]:
    """Yield where each text came from, and what was left out and why."""
    for one in kept:
        yield {
            "path": str(one.text.path),
            "encoding": one.text.encoding,
            "characters": one.text.count,
            "held_out": one.held_out,
            "sha256": one.text.sha256,
        }
    for path, why in left_out:
        yield {"path": str(path), "left_out": why.english()}


def _tell(
    store: Store,
    kept: Sequence[_Kept],
    left_out: Sequence[tuple[Path, Message]],
    paths: Sequence[Path],
    seconds: float,
) -> None:
    oddities = [line for one in kept for line in one.text.oddities]
    for line in [*oddities[:_TOLD], *_about_left_out(paths[0], left_out)]:
        log.info("%s", line)
    encodings = Counter(one.text.encoding for one in kept)
    named = ", ".join(f"{name} ({count:,})" for name, count in encodings.most_common())
    told = _(
        "{path}: {encodings}; {training:,} characters to learn from, "
        "{held_out:,} held out, {kinds:,} different ones; {seconds:,.0f} s"
    )
    log.info(
        "%s",
        told.format(
            path=readable(store.folder),
            encodings=named,
            training=len(store.training),
            held_out=len(store.held_out),
            kinds=len(store.vocab) - 1,
            seconds=seconds,
        ),
    )


def _about_left_out(path: Path, left_out: Sequence[tuple[Path, Message]]) -> list[str]:
    return Corpus(path, (), tuple(left_out)).about_left_out()


@contextlib.contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """Yield a new folder beside the one that it is to become; what is left of it then goes.

    Raises:
        TextgenError: it cannot be made.
    """
    _remove_unfinished(out)
    folder = out.parent / f".{out.name}-{secrets.token_hex(4)}.part"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        raise TextgenError(
            "{path} cannot be written: {reason}", path=out, reason=os_reason(error)
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_unfinished(out: Path) -> None:
    """Remove what killed processes left that were to build this store, an hour ago or more."""
    for folder in out.parent.glob(f".{escape(out.name)}-????????.part"):
        with contextlib.suppress(OSError):
            newest = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            if time.time() - newest > _UNFINISHED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _stop(*_signal: object) -> None:
    raise KeyboardInterrupt
