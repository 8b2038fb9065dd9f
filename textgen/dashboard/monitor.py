"""``textgen monitor``: a Visdom server of one's own, with every run on it, old and live."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.addresses import is_loopback
from textgen.dashboard.mirror import MirrorThread
from textgen.dashboard.names import ALL_RUNS, START, environment_of, plain
from textgen.dashboard.opened import open_run, written
from textgen.dashboard.server import serve
from textgen.dashboard.start_page import PREFIX, address_of, start_page
from textgen.dashboard.tokens import VISDOMS_FOLDER
from textgen.errors import UsageError
from textgen.files import write_atomically
from textgen.names import to_json
from textgen.plots.comparison import comparison_windows
from textgen.plots.run import of_run
from textgen.plots.suite import suite_in
from textgen.plots.window import Subject
from textgen.runs.summary import Summary

if TYPE_CHECKING:
    from textgen.dashboard.client import Client

log = logging.getLogger(__name__)


def monitor(root: Path, host: str, port: int, *, open_browser: bool, token: bool = False) -> None:
    """Serve until SIGINT or SIGTERM; what was drawn is saved in ``root/.visdom``.

    Args:
        root: the folder of the runs.
        host: the address to listen on; any other than this machine's own is warned of.
        port: the port to listen on.
        open_browser: whether to open the page in a browser.
        token: whether its user has to show the token, too, as all others have.

    Raises:
        UsageError: the port is none.
        TextgenError: the port is taken, or the address is none of this machine's.
    """
    if not 0 <= port < 2**16:
        raise UsageError("--port is {port}: it must be between 0 and 65535", port=port)
    if not is_loopback(host):
        log.warning(
            "WARNING: everybody who has the token below and reaches %s can see and change this "
            "Visdom, and the token goes over the network for all to read. Safer: leave --host out, "
            "and on your own machine run\n"
            "    ssh -N -L %d:127.0.0.1:%d USER@THIS-MACHINE",
            host,
            port,
            port,
        )
    mirrors: list[MirrorThread] = []

    def ready(url: str) -> None:
        log.info("Visdom is at %s", url)
        log.info(
            "Every run in %s has its environment; %s lays them over each other", root, ALL_RUNS
        )
        log.info("Ctrl-C saves and stops")
        mirrors.append(_OwnMirror(url, root))
        mirrors[0].start()

    try:
        serve(
            *(host, port, root / VISDOMS_FOLDER, ready),
            open_browser=open_browser,
            everybody_shows_token=token,
        )
    finally:
        for mirror in mirrors:
            mirror.close()


class _OwnMirror(MirrorThread):
    """The mirror of the monitor's own server: it has a page to begin with, and what is gone goes.

    Args:
        url: the server's address.
        root: the folder of the runs.
    """

    _looks_at_the_end = False  # the server is gone by then

    def __init__(self, url: str, root: Path) -> None:
        super().__init__(url, root, lambda: list_subjects(root))
        self._file = root / VISDOMS_FOLDER / "drawn"

    def _connect(self) -> "Client":
        client = super()._connect()
        # What an earlier monitor drew there, and nobody would now, is closed.
        for environment in (ALL_RUNS, suite_in(self._root).name):
            self._shown.adopt(client, environment)
        self._shown.adopt(client, START, PREFIX)
        return client

    def _draw_together(self, client: "Client", runs: list[Summary]) -> None:
        self._shown.draw_only(client, ALL_RUNS, comparison_windows(runs, address_of))
        subjects = [one for one in self._subjects() if one.record.path in self._entries]
        newest = max(runs, key=lambda one: written(one.run.folder), default=None)
        self._shown.draw_only(client, START, start_page(runs, newest, subjects))
        self._delete_gone(client, {plain(subject.name) for subject in subjects})

    def _delete_gone(self, client: "Client", there: set[str]) -> None:
        """Delete the environments of runs that are gone, also of those that an earlier one drew."""
        before = self._drawn_before()
        # What was drawn for the first time a moment ago may be gone already, too.
        for name in (before | self._shown.environments) - there - {ALL_RUNS, START}:
            self._shown.delete(client, name)
        if before != there:
            write_atomically(self._file, to_json(sorted(there)).encode())

    def _drawn_before(self) -> set[str]:
        try:
            names = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return set()
        return set(map(str, names)) if isinstance(names, list) else set()


def list_subjects(root: Path) -> list[Subject]:
    """Return all runs in a folder, by name, and the sanity suite; what is none is left out."""
    found = (open_run(config.parent) for config in sorted(root.glob("[!.]*/config.json")))
    subjects = (of_run(run, environment_of(run.name)) for run in found if run is not None)
    return [*subjects, suite_in(root)]
