"""``textgen monitor``: a Visdom server of one's own, with every run on it, old and live."""

import logging
from functools import lru_cache
from pathlib import Path

from textgen.addresses import is_loopback
from textgen.dashboard.mirror import ALL_RUNS, MirrorThread
from textgen.dashboard.server import serve
from textgen.dashboard.tokens import VISDOMS_FOLDER
from textgen.errors import UsageError
from textgen.plots.run import of_run
from textgen.plots.suite import suite_in
from textgen.plots.window import Subject
from textgen.runs.folder import Run

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
        raise UsageError(f"--port is {port}: it must be between 0 and 65535")
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
        mirrors.append(MirrorThread(url, root, lambda: list_subjects(root)))
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


def list_subjects(root: Path) -> list[Subject]:
    """Return all runs in a folder, by name, and the sanity suite; what is none is left out."""
    configs = sorted(root.glob("[!.]*/config.json"))  # hidden ones were to become runs
    found = (_open_run(config.parent, _written(config)) for config in configs)
    return [*(of_run(run) for run in found if run is not None), suite_in(root)]


@lru_cache(maxsize=1000)
def _open_run(folder: Path, _written: int) -> Run | None:
    """Return a run, opened only once for every state of its settings."""
    try:
        return Run(folder)
    except Exception:  # a folder may hold anything, and one run is not to cost the others
        return None


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # deleted this moment
        return 0
