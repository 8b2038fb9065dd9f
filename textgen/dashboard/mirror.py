"""Visdom as a mirror of the record: it may come and go, and no training notices.

Training only appends to ``metrics.jsonl``. A daemon thread looks at the records and sends every
window that has changed, whole, never a point at a time: so a server that starts late or anew shows
everything. Requests have time-outs; one line is logged for each outage.
"""

import contextlib
import json
import logging
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.addresses import is_loopback
from textgen.config import NOWHERE
from textgen.dashboard.addresses import parse_address, token_in, without_token
from textgen.dashboard.names import plain
from textgen.dashboard.tensorboard import require_tensorboard, writing_events
from textgen.dashboard.tokens import VISDOMS_FOLDER, kept
from textgen.errors import UsageError
from textgen.names import is_plain, readable
from textgen.plots.run import comparison_windows, name_beside_others, of_run
from textgen.plots.window import Subject, Window
from textgen.runs.folder import Mirror, Run
from textgen.runs.record import Entry, Record

if TYPE_CHECKING:
    from textgen.dashboard.client import Client

log = logging.getLogger(__name__)

ALL_RUNS = "all-runs"
"""The Visdom environment in which the runs are compared."""

_MAIN = "main"
"""The environment that Visdom opens with."""

_MARKER = Window(
    "textgen",
    "textgen",
    [
        {
            "type": "text",
            "content": "<p>Every run has an environment of its own, and <b>all-runs</b> lays them "
            "over each other: choose above.</p><p>上方的 Environment 里，每次运行各有一个环境；"
            "<b>all-runs</b> 把它们画在一起。</p>",
        }
    ],
    {},
    height=130,
)
"""A window that is gone when the server was restarted: then everything is drawn again."""

_SECONDS_BETWEEN_LOOKS = 2.0
_LONGEST_BACK_OFF = 30.0
_SECONDS_TO_CLOSE = 3.0


class MirrorThread(threading.Thread):
    """Keeps a Visdom server equal to the records of some runs until it is closed.

    Args:
        url: the server's address.
        root: the folder of all runs, which are compared.
        subjects: returns what gets an environment of its own.
    """

    def __init__(self, url: str, root: Path, subjects: Callable[[], list[Subject]]) -> None:
        super().__init__(name="visdom-mirror", daemon=True)
        self._url = url
        self._shown = without_token(url)
        self._root = root
        self._subjects = subjects
        self._closing = threading.Event()
        self._drawn: dict[tuple[str, str], str] = {}
        self._seen: dict[Path, tuple[int, int, int]] = {}
        self._entries: dict[Path, list[Entry]] = {}
        self._odd: set[Path] = set()
        self._refused: set[tuple[str, str]] = set()

    def run(self) -> None:
        """Look, draw what has changed, wait; after an error, wait for longer."""
        wait = 0.0
        client: Client | None = None
        in_outage = closing = False
        while not closing:
            closing = self._closing.wait(wait)  # a last look after closing draws the end
            try:
                if client is None:
                    client = self._connect()
                self._look(client)
            except ImportError:
                log.warning(
                    "Visdom is not installed, so no curves are drawn: pip install 'textgen[visdom]'"
                )
                return
            except Exception as error:  # whatever visdom raises ends here
                client = None
                if not in_outage:
                    _tell_of_outage(self._shown, error)
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
        address = parse_address(self._url)
        # Whether anybody listens is asked first: visdom takes a second to import.
        socket.create_connection((address.hostname, address.port), timeout=0.5).close()
        from textgen.dashboard.client import Client

        token = token_in(address)
        if token is None and is_loopback(address.hostname or ""):
            token = kept(self._root / VISDOMS_FOLDER, address.port or 0)
        client = Client(address, token)
        self._draw_all_again()
        log.info("Drawing on Visdom: %s", self._shown)
        return client

    def _look(self, client: "Client") -> None:
        if not client.has(_MAIN, _MARKER.key):
            self._draw_all_again()
        changed = self._read_changes()
        if not changed and self._drawn:
            return
        for subject in self._subjects():
            path = subject.record.path
            if path in changed and path in self._entries and path not in self._odd:
                for window in self._windows(path, subject.windows):
                    self._draw(client, subject.name, window)
        curves = {
            name_beside_others(path.parent): entries
            for path, entries in sorted(self._entries.items())
            if path not in self._odd
        }
        for window in comparison_windows(curves):
            self._draw(client, ALL_RUNS, window)
        self._draw(client, _MAIN, _MARKER)

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
        self._drawn.clear()
        self._seen.clear()

    def _read_changes(self) -> set[Path]:
        """Read what has changed since the last look; return the paths, also of what is gone."""
        seen: dict[Path, tuple[int, int, int]] = {}
        for path in self._root.glob("*/metrics.jsonl"):
            with contextlib.suppress(OSError):  # the run was deleted this moment
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):
                    continue  # what is no file may never end
                seen[path] = (status.st_ino, status.st_size, status.st_mtime_ns)
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
            self._windows(path, lambda entries: comparison_windows({"": entries}))
        return changed

    def _draw(self, client: "Client", environment: str, window: Window) -> None:
        from textgen.dashboard.client import RefusedError

        environment = plain(environment)
        window = replace(window.without_markup(), key=plain(window.key))
        content = json.dumps([window.data, window.layout])
        drawn = (environment, window.key)
        if self._drawn.get(drawn) == content:
            return
        try:
            client.draw(environment, window)
        except RefusedError as error:
            if drawn not in self._refused:
                self._refused.add(drawn)
                log.warning("%s of %s is not drawn: %s", window.title, environment, error)
        self._drawn[drawn] = content


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
    """Mirror a run, or the suite, while inside.

    Args:
        url: the Visdom server's address; none, or ``NOWHERE``, for no server.
        subject: what is mirrored.
        tensorboard: the folder for TensorBoard's event files; none for none.

    Raises:
        TextgenError: it is no address, or there can be no event files.
    """
    _check(url, tensorboard)
    with writing_events(tensorboard, subject), _drawing(url, subject):
        yield


@contextmanager
def _drawing(url: str | None, subject: Subject) -> Iterator[None]:
    if url is None or url == NOWHERE:
        yield
        return
    thread = MirrorThread(url, subject.record.path.parent.parent, lambda: [subject])
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
            raise UsageError(f"--visdom-{flag} is {readable(name)!r}: it must be a plain name")

    @contextmanager
    def mirror(run: Run) -> Iterator[None]:
        drawn = of_run(run, environment, perplexity)
        with writing_events(tensorboard, of_run(run)), _drawing(url, drawn):
            yield

    return mirror


def _check(url: str | None, tensorboard: Path | None) -> None:
    """Tell of a mistake before the training begins."""
    if url is not None and url != NOWHERE:
        parse_address(url)
    require_tensorboard(tensorboard)
