"""Visdom as a mirror of a run's record: it may come and go, and the training does not notice.

A daemon thread reads ``metrics.jsonl`` and sends every series whole, never a point at a time: so
a server that starts late or anew shows the whole curve. One line is logged for each outage.
"""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from textgen.checkpoint import Run
from textgen.record import Entry
from textgen.session import Mirror

if TYPE_CHECKING:
    from textgen.visdom_client import Client

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 1.0
_LONGEST_BACK_OFF = 30.0
_SECONDS_TO_CLOSE = 3.0
_MOST_POINTS = 1000


def mirror_to(url: str | None) -> Mirror:
    """Return what mirrors a run to the Visdom server at a URL; with no URL, to nowhere."""

    @contextmanager
    def mirror(run: Run) -> Iterator[None]:
        if url is None:
            yield
            return
        thread = _MirrorThread(url, run)
        thread.start()
        try:
            yield
        finally:
            thread.close()

    return mirror


class _MirrorThread(threading.Thread):
    def __init__(self, url: str, run: Run) -> None:
        super().__init__(name="visdom-mirror", daemon=True)
        self._url = url
        self._run = run
        self._closing = threading.Event()
        self._drawn: list[Entry] = []
        self._in_outage = False

    def run(self) -> None:
        wait = 0.0
        client: Client | None = None
        closing = False
        while not closing:
            closing = self._closing.wait(wait)  # a last look after closing draws the end
            try:
                client = client or self._connect()
                self._draw(client)
            except ImportError:
                log.warning(
                    "Visdom is not installed, so no curves are drawn: pip install '.[visdom]'"
                )
                return
            except Exception as error:  # whatever visdom raises ends here
                client = None
                self._drawn = []
                if not self._in_outage:
                    log.warning(
                        "No Visdom at %s (%s): start one with python -m visdom.server, and the "
                        "curves appear there; the training goes on without it",
                        self._url,
                        error,
                    )
                self._in_outage = True
                wait = min(_LONGEST_BACK_OFF, 2 * max(wait, _SECONDS_BETWEEN_LOOKS))
            else:
                self._in_outage = False
                wait = _SECONDS_BETWEEN_LOOKS

    def close(self) -> None:
        self._closing.set()
        self.join(_SECONDS_TO_CLOSE)

    def _connect(self) -> "Client":
        # Whether anybody listens is asked first: visdom takes a second to import.
        address = server_address(self._url)
        socket.create_connection(address, timeout=0.5).close()
        from textgen.visdom_client import Client

        client = Client(self._url, self._run.name)
        log.info("Drawing on Visdom: %s/env/%s", self._url.rstrip("/"), self._run.name)
        return client

    def _draw(self, client: "Client") -> None:
        entries = self._run.record.read()
        if entries == self._drawn:
            return
        client.draw_lines("perplexity", **perplexity_plot(entries))
        self._drawn = entries


def server_address(url: str) -> tuple[str, int]:
    """Return the host and the port of a Visdom server's URL; the port is 8097 when not given."""
    parts = urlsplit(url if "//" in url else f"http://{url}")
    return parts.hostname or "127.0.0.1", parts.port or 8097


def perplexity_plot(entries: list[Entry]) -> dict[str, Any]:
    """Return the perplexity over epochs, training and held out, for ``Client.draw_lines``."""
    points = [entry for entry in entries if "perplexity" in entry]
    judged = [entry for entry in points if "held_out_perplexity" in entry]
    thinned = points[:: len(points) // _MOST_POINTS + 1]
    if points and thinned[-1] is not points[-1]:
        thinned.append(points[-1])
    return {
        "title": "Perplexity",
        "x_label": "epoch",
        "y_label": "perplexity",
        "series": {
            "train": [(entry["epoch"], entry["perplexity"]) for entry in thinned],
            "held out": [(entry["epoch"], entry["held_out_perplexity"]) for entry in judged],
        },
    }
