"""From any amount of text to a store: read in parallel, numbered, written, in little memory.

First every process reads its part of the files and writes its characters under provisional ids.
When all are read, characters are counted, or texts are cut into words and those are counted; then
their ids are known, and are written text by text. What comes of it is the same, however many
processes read and cut.
"""

import contextlib
import logging
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from glob import escape
from pathlib import Path

from textgen.bars import progress_bar
from textgen.config import ReadingConfig, StoreConfig
from textgen.errors import TextgenError, UsageError, os_reason
from textgen.files import sync_folder
from textgen.interrupts import handling
from textgen.language import Message, _
from textgen.names import readable
from textgen.processes import cores, in_processes
from textgen.reading.characters import Characters
from textgen.reading.corpus import Corpus
from textgen.reading.cutting import Words
from textgen.reading.folders import look_into, require_file
from textgen.reading.holding_out import held_out_of
from textgen.reading.kept import Kept
from textgen.reading.numbering import Tokens, write
from textgen.reading.provisional import File, Part, ReadText, Task, read_part
from textgen.text.store import Store

log = logging.getLogger(__name__)

_TASK = 8_000_000
"""Bytes of files, about, that a process reads before it tells what came of them."""

_LITTLE = 20_000_000
"""Bytes of files up to which this process reads them itself: others take as long to start."""

_UNFINISHED_SECONDS = 3600.0
"""Seconds after which a folder that never became a store is nobody's any more."""

_TOLD = 5
"""Lines about single files that are shown."""


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
        workers: processes that read and cut; as many as there are cores when not given.

    Raises:
        UsageError: ``out`` is there already, or the settings leave nothing to learn from.
        TextgenError: a named file cannot be read, there is no text, or the disk is full.
        KeyboardInterrupt: somebody asked to stop; nothing is left.
    """
    if out.exists():
        raise UsageError("{path} exists already: choose another name", path=out)
    began = time.perf_counter()
    workers = workers or cores()
    files, left_out = listed(paths)
    with _unfinished(out) as folder, handling(_stop):
        try:
            (provisional := folder / "provisional").mkdir()
            parts = _read(files, provisional, reading, workers)
            kept = _kept(parts, left_out, config)
            tokens: Tokens = (
                Characters(kept)
                if config.tokens == "character"
                else Words(kept, provisional / "words", workers)
            )
            write(folder, tokens, kept, left_out, config, reading)
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
    count = 1 if total < _LITTLE else min(workers, len(tasks))
    with progress_bar(total, _("bytes"), _("reading"), delay=1.0) as bar:
        found = in_processes(read_part, tasks, count) if count > 1 else map(read_part, tasks)
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
) -> list[Kept]:
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
    if not texts:
        named = "".join(_about_left_out(Path(), left_out))
        raise TextgenError("no text can be read: {named}", named=named)
    held_out = held_out_of([text.count for text, _ in texts], config)
    return [Kept(*one, count) for one, count in zip(texts, held_out, strict=True)]


def _tell(
    store: Store,
    kept: Sequence[Kept],
    left_out: Sequence[tuple[Path, Message]],
    paths: Sequence[Path],
    seconds: float,
) -> None:
    oddities = [line for one in kept for line in one.read.oddities]
    for line in [*oddities[:_TOLD], *_about_left_out(paths[0], left_out)]:
        log.info("%s", line)
    encodings = Counter(one.read.encoding for one in kept)
    named = ", ".join(f"{name} ({count:,})" for name, count in encodings.most_common())
    told = _(
        "{path}: {encodings}; {training:,} {units} to learn from, "
        "{held_out:,} held out, {kinds:,} different ones; {seconds:,.0f} s"
    )
    log.info(
        "%s",
        told.format(
            path=readable(store.folder),
            encodings=named,
            training=len(store.training),
            held_out=len(store.held_out),
            units=store.vocab.units,
            kinds=store.about.kinds,
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
