"""Visdom as a mirror of the record: it may come and go, and no training notices.

Training only appends to ``metrics.jsonl``. A daemon thread looks at the records and sends every
window that has changed, whole, never a point at a time: so a server that starts late or anew shows
everything. Requests have time-outs; one line is logged for each outage.
"""

import contextlib
import json
import logging
import shlex
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.addresses import is_loopback
from textgen.config import MONITOR, NOWHERE
from textgen.dashboard.addresses import parse_address, token_in, without_token
from textgen.dashboard.names import ALL_RUNS, START, environment_of
from textgen.dashboard.opened import made, open_run, written
from textgen.dashboard.shown import Shown
from textgen.dashboard.start_page import TABLE, remark
from textgen.dashboard.tensorboard import require_tensorboard, writing_events
from textgen.dashboard.tokens import VISDOMS_FOLDER, kept, monitor_of
from textgen.errors import UsageError
from textgen.language import _
from textgen.names import is_plain, readable
from textgen.plots.comparison import comparison_windows
from textgen.plots.run import of_run
from textgen.plots.window import Subject, Window
from textgen.runs.folder import Mirror, Run
from textgen.runs.record import Entry, Record
from textgen.runs.summary import Summary

if TYPE_CHECKING:
    from textgen.dashboard.client import Client

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 2.0
_LONGEST_BACK_OFF = 30.0
_SECONDS_TO_CLOSE = 3.0


class MirrorThread(threading.Thread):
    """Keeps a Visdom server equal to the records of some runs until it is closed.

    Args:
        url: the server's address; none for the monitor of the folder, whenever there is one.
        root: the folder of all runs, which are compared.
        subjects: returns what gets an environment of its own.
    """

    _looks_at_the_end = True

    def __init__(self, url: str | None, root: Path, subjects: Callable[[], list[Subject]]) -> None:
        super().__init__(name="visdom-mirror", daemon=True)
        self._url = url
        self._told_as = "" if url is None else without_token(url)
        self._root = root
        self._subjects = subjects
        self._closing = threading.Event()
        self._shown = Shown()
        self._seen: dict[Path, tuple[int, ...]] = {}
        self._entries: dict[Path, list[Entry]] = {}
        self._odd: set[Path] = set()

    def run(self) -> None:
        """Look, draw what has changed, wait; after an error, wait for longer."""
        wait = 0.0
        client: Client | None = None
        in_outage = closing = False
        while not closing:
            closing = self._closing.wait(wait)  # a last look after closing draws the end
            if closing and not self._looks_at_the_end:
                return
            try:
                if client is None:
                    client = self._connect()
                self._look(client)
            except _NoMonitorError:
                wait = _SECONDS_BETWEEN_LOOKS
            except ImportError:
                log.warning(
                    "Visdom is not installed, so no curves are drawn: pip install '.[visdom]'"
                )
                return
            except Exception as error:  # whatever visdom raises ends here
                if self._closing.is_set() and not self._looks_at_the_end:
                    return  # it was stopped amid a look
                client = None
                if not in_outage:
                    _tell_of_outage(self._told_as, error)
                in_outage = True
                wait = min(_LONGEST_BACK_OFF, 2 * max(wait, _SECONDS_BETWEEN_LOOKS))
            else:
                in_outage = False
                wait = _SECONDS_BETWEEN_LOOKS

    def close(self) -> None:
        """Draw once more, and stop; a server that does not answer is not waited for."""
        self._closing.set()
        self.join(_SECONDS_TO_CLOSE)

    def _connect(self) -> "Client":
        url = self._url or monitor_of(self._root)
        if url is None:
            raise _NoMonitorError
        self._told_as = without_token(url)
        address = parse_address(url)
        # Whether anybody listens is asked first: visdom takes a second to import.
        socket.create_connection((address.hostname, address.port), timeout=0.5).close()
        from textgen.dashboard.client import Client

        token = token_in(address)
        if token is None and is_loopback(address.hostname or ""):
            token = kept(self._root / VISDOMS_FOLDER, address.port or 0)
        client = Client(address, token)
        self._draw_all_again()
        log.info("Drawing on Visdom: %s", self._told_as)
        return client

    def _look(self, client: "Client") -> None:
        if not client.has(START, TABLE):
            self._draw_all_again()
        changed = self._read_changes()
        if not changed and self._shown:
            return
        for subject in self._subjects():
            path = subject.record.path
            if path in changed and path in self._entries and path not in self._odd:
                windows = self._windows(path, subject.windows)
                self._shown.draw_only(client, subject.name, windows)
        self._draw_together(client, self._compared())

    def _draw_together(self, client: "Client", runs: list[Summary]) -> None:
        """Draw what is about more than one run: on a server that may be somebody else's."""
        self._shown.draw_only(client, ALL_RUNS, comparison_windows(runs))
        if not client.has(START, TABLE):  # where the monitor has none of its own
            self._shown.draw(client, START, remark())

    def _compared(self) -> list[Summary]:
        """Return all runs, in the order in which they were made."""
        runs = (
            (open_run(path.parent), entries)
            for path, entries in self._entries.items()
            if path not in self._odd
        )
        compared = [Summary(run, entries) for run, entries in runs if run is not None]
        return sorted(compared, key=lambda one: (made(one.run.folder), one.run.name))

    def _windows(self, path: Path, make: Callable[[list[Entry]], list[Window]]) -> list[Window]:
        """Return a record's windows; of one that no training writes none, and one line."""
        try:
            windows = make(self._entries[path])
            for window in windows:
                _require_numbers(window)
        except Exception as error:  # a record may hold anything
            self._odd.add(path)
            log.warning(
                "%s is odd (%s: %s): its curves are not drawn, those of the others are",
                *(readable(path), type(error).__name__, readable(str(error))[:80]),
            )
            return []
        return windows

    def _draw_all_again(self) -> None:
        self._shown.forget()
        self._seen.clear()

    def _read_changes(self) -> set[Path]:
        """Read what has changed since the last look; return the paths, also of what is gone."""
        seen: dict[Path, tuple[int, ...]] = {}
        for path in self._root.glob("*/metrics.jsonl"):
            with contextlib.suppress(OSError):  # the run was deleted this moment
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):
                    continue  # what is no file may never end
                changes = (status.st_ino, status.st_size, status.st_mtime_ns)
                seen[path] = (*changes, written(path.parent))
        changed = {
            path for path in seen.keys() | self._seen if seen.get(path) != self._seen.get(path)
        }
        self._entries = {
            path: _read(path) if path in changed else self._entries[path] for path in seen
        }
        self._seen = seen
        self._odd -= changed
        for path in changed & seen.keys():
            # Here already, for one odd curve spoils the axes of all that it is drawn beside.
            if (run := open_run(path.parent)) is not None:
                self._windows(path, partial(_alone, run))
        return changed


class _NoMonitorError(Exception):
    """Nobody watches the folder, which is no mistake."""


def _alone(run: Run, entries: list[Entry]) -> list[Window]:
    return comparison_windows([Summary(run, entries)])


def _tell_of_outage(url: str, error: Exception) -> None:
    if isinstance(error, OSError):
        log.warning(
            "No Visdom at %s (%s): textgen monitor starts one, and the curves appear there; the "
            "training goes on without it",
            url,
            readable(str(error)),
        )
    else:
        log.warning(
            "Nothing is drawn on the Visdom at %s (%s: %s); the training goes on without it",
            *(url, type(error).__name__, readable(str(error))[:80]),
        )


def _read(path: Path) -> list[Entry]:
    """Return a record's entries; none where it cannot be read, which is told when it is drawn."""
    try:
        return Record(path).read()
    except OSError as error:
        log.warning("%s cannot be read (%s)", readable(path), readable(str(error))[:80])
        return []


def _require_numbers(window: Window) -> None:
    """Make sure that a plot has points that are numbers: others make its axis one of names.

    Raises:
        TypeError: something else is there.
        ValueError: a number is none that JSON has.
    """
    for trace in window.data:
        for value in (*trace.get("x", ()), *trace.get("y", ())):
            if not isinstance(value, int | float | None):
                raise TypeError(f"{value!r} is no number")
    json.dumps([window.data, window.layout], allow_nan=False)


@contextmanager
def mirroring(url: str | None, subject: Subject, tensorboard: Path | None = None) -> Iterator[None]:
    """Mirror the suite while inside.

    Args:
        url: the Visdom server's address; ``MONITOR`` for that of the folder's monitor, which draws
            on its own; none, or ``NOWHERE``, for no server.
        subject: what is mirrored.
        tensorboard: the folder for TensorBoard's event files; none for none.

    Raises:
        TextgenError: it is no address, or there can be no event files.
    """
    _check(url, tensorboard)
    with writing_events(tensorboard, subject), _drawing(url, subject):
        yield


@contextmanager
def _drawing(url: str | None, subject: Subject, *, as_named: bool = False) -> Iterator[None]:
    root = subject.record.path.parent.parent
    if url == MONITOR and not as_named:
        # It looks at the folder on its own, and draws all that is in it.
        if found := monitor_of(root):
            log.info("Drawing on Visdom: %s", found)
        yield
        return
    if url is None or url == NOWHERE:
        yield
        return
    thread = MirrorThread(None if url == MONITOR else url, root, lambda: [subject])
    thread.start()
    try:
        yield
    finally:
        thread.close()


def mirror_to(
    url: str | None,
    environment: str | None = None,
    perplexity: str | None = None,
    tensorboard: Path | None = None,
) -> Mirror:
    """Return what mirrors a training; see ``mirroring``.

    Args:
        url: the Visdom server's address.
        environment: the Visdom environment; the run's name when not given.
        perplexity: the name of the perplexity's window there; the usual one when not given.
        tensorboard: the folder for TensorBoard's event files.

    Raises:
        TextgenError: it is no address, or no name, or there can be no event files.
    """
    _check(url, tensorboard)
    for flag, name in (("env", environment), ("window", perplexity)):
        if name is not None and not is_plain(name):
            raise UsageError(
                "--visdom-{flag} is {name!r}: it must be a plain name",
                flag=flag,
                name=readable(name),
            )

    @contextmanager
    def mirror(run: Run) -> Iterator[None]:
        drawn = of_run(run, environment or environment_of(run.name), perplexity)
        as_named = (environment, perplexity) != (None, None)
        with (
            writing_events(tensorboard, of_run(run)),
            _drawing(url, drawn, as_named=as_named),
        ):
            yield

    return mirror


def hint_of_curves(url: str | None, run: Run) -> str | None:
    """Return where a training's curves can be seen that nobody has drawn; none where somebody has.

    Args:
        url: the server that it was told to draw on.
        run: what was trained.
    """
    if url != MONITOR or monitor_of(run.folder.parent):
        return None
    hint = _("Its curves: textgen monitor, or on a page: textgen report {name}")
    return hint.format(name=shlex.quote(run.name))


def _check(url: str | None, tensorboard: Path | None) -> None:
    """Tell of a mistake before the training begins."""
    if url not in (None, NOWHERE, MONITOR):
        parse_address(str(url))
    require_tensorboard(tensorboard)
