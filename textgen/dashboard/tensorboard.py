"""TensorBoard as a mirror of the record: event files that say what ``metrics.jsonl`` says.

    FOLDER/<run>/events.out.tfevents.*
    FOLDER/sanity/<task>-<model>/events.out.tfevents.*

Training only appends to its record. A thread looks at it and writes what is new into event files,
with TensorBoard's own writer (imported late, for it is an extra). A training that goes on begins
another file, with the whole record in it: so the curves are complete in any folder. No point is
there twice, since the file's first event takes back what earlier files said.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.dashboard.names import plain
from textgen.errors import TextgenError, UsageError
from textgen.names import readable
from textgen.plots.window import Subject
from textgen.runs.record import Entry

if TYPE_CHECKING:
    from tensorboard.summary.writer.record_writer import RecordWriter

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 2.0

_OF_A_RUN = (
    *("perplexity", "loss", "learning_rate", "gradient_norm", "tokens_per_second"),
    *("held_out_perplexity", "held_out_bits_per_character"),
    *("network_bits_per_character", "static_bits_per_character"),
)
_OF_A_TASK = ("loss", "accuracy", "out_0", "out_1")


def scalars(entry: Entry) -> dict[str, float]:
    """Return what becomes a point of a curve, by its tag."""
    names = _OF_A_TASK if "task" in entry else _OF_A_RUN
    found = {
        name: value for name, value in entry.items() if name in names and isinstance(value, float)
    }
    if entry.get("task") == "scalar" and "loss" in found:
        found["train_loss"] = found.pop("loss")  # what its source document calls it
    return found


class EventFiles:
    """The event files of a run, or of the suite.

    Args:
        folder: where a folder is made for the run, or for each task on each kind of layers.
        subject: whose record it is.
    """

    def __init__(self, folder: Path, subject: Subject) -> None:
        self._folder = folder / subject.name
        self._record = subject.record
        self._written: list[Entry] = []
        self._writers: dict[Path, RecordWriter] = {}

    def update(self) -> None:
        """Write what is new in the record; all of it where the record has begun anew.

        Raises:
            OSError: the folder cannot be written.
        """
        entries = self._record.read()
        # As text, for what is not a number never equals itself.
        if repr(entries[: len(self._written)]) != repr(self._written):
            self.close()
        for entry in entries[len(self._written) :]:
            if points := scalars(entry):
                try:
                    self._write(entry, points)
                except (KeyError, TypeError, ValueError) as error:  # a record may hold anything
                    log.warning(
                        "%s has an odd line, of which TensorBoard gets nothing (%s: %s)",
                        *(readable(self._record.path), type(error).__name__, error),
                    )
        self._written = entries
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Close the files; after that, ``update`` begins others."""
        for writer in self._writers.values():
            writer.close()
        self._writers, self._written = {}, []

    def _write(self, entry: Entry, points: dict[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        folder = self._folder
        if "task" in entry:
            folder /= plain(f"{entry['task']}-{entry['model']}")
        if folder not in self._writers:
            self._writers[folder] = _begin(folder)
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in points.items()]
        event = Event(wall_time=time.time(), step=entry["step"], summary=Summary(value=values))
        self._writers[folder].write(event.SerializeToString())


def _begin(folder: Path) -> "RecordWriter":
    """Begin an event file that takes back what earlier ones in its folder say."""
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    # TensorBoard reads a folder's files in the order of their names.
    writer = RecordWriter((folder / f"events.out.tfevents.{time.time_ns()}").open("xb"))
    now = time.time()
    start = SessionLog(status=SessionLog.START)
    for event in (
        Event(wall_time=now, file_version="brain.Event:2"),
        Event(wall_time=now, step=0, session_log=start),
    ):
        writer.write(event.SerializeToString())
    return writer


def require_tensorboard(folder: Path | None) -> None:
    """Refuse, before any training, a folder for event files that cannot be written.

    Raises:
        TextgenError: TensorBoard is not installed.
        UsageError: the folder cannot be made or written.
    """
    if folder is None:
        return
    try:
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError:
        raise TextgenError(
            "TensorBoard is not installed: pip install tensorboard, or leave --tensorboard out"
        ) from None
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise UsageError(
            "--tensorboard {folder} cannot be written: give a folder of yours", folder=folder
        )


@contextmanager
def writing_events(folder: Path | None, subject: Subject) -> Iterator[None]:
    """Keep a record's event files up to date while inside; none where there is no folder."""
    if folder is None:
        yield
        return
    files = EventFiles(folder, subject)
    closing = threading.Event()

    def keep_up() -> None:
        try:
            while not closing.wait(_SECONDS_BETWEEN_LOOKS):
                files.update()
            files.update()  # a last look, at the end
        except OSError as error:
            log.warning(
                "%s cannot be written (%s): TensorBoard gets no more points, the training goes on",
                folder,
                error.strerror or error,
            )
        finally:
            with contextlib.suppress(OSError):
                files.close()

    thread = threading.Thread(target=keep_up, name="event-files", daemon=True)
    thread.start()
    try:
        yield
    finally:
        closing.set()
        thread.join()
