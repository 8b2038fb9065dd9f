"""``textgen serve``: a model behind the completions interface, and a page to write in."""

import asyncio
import contextlib
import errno
import logging
import socket
import threading
import webbrowser
from collections.abc import Generator
from pathlib import Path

import uvicorn

from textgen.addresses import is_loopback, url_of
from textgen.errors import TextgenError, UsageError, os_reason
from textgen.interrupts import handling
from textgen.serving.app import make_app
from textgen.serving.models import Models
from textgen.serving.turns import Turns

log = logging.getLogger(__name__)

_SECONDS_TO_LEAVE = 1
"""For those who are in the middle of a request when the server stops."""


def serve(root: Path, name: str | None, host: str, port: int, *, open_browser: bool) -> None:
    """Answer until Ctrl-C, SIGTERM or SIGHUP.

    Args:
        root: the folder of the runs.
        name: the name or the path of the run that is meant where none is named; the newest when
            not given.
        host: the address to listen on; any other than this machine's own is warned of.
        port: the port to listen on; 0 for any free one.
        open_browser: open the page in the browser, too.

    Raises:
        UsageError: the port is none.
        TextgenError: there is no such run, the port is taken, or the address is none of this
            machine's.
    """
    if not 0 <= port < 2**16:
        raise UsageError("--port is {port}: it must be between 0 and 65535", port=port)
    models = Models(root, name)
    models.decoder(models.find(None))  # a run that cannot write is told of now
    with _listen(host, port) as listener:
        address, port = listener.getsockname()[:2]
        if not is_loopback(address):
            log.warning(
                "WARNING: everybody who reaches %s can write with every run in %s, and is asked "
                "for no password; leave --host out to be alone",
                host,
                root,
            )
        turns = Turns()
        server = _Server(make_app(models, turns, (host, address)), turns)
        url = url_of(host, port)
        with handling(server.ask_to_stop):
            log.info("%s is at %s to write with, and for clients at %s/v1", models.usual, url, url)
            log.info("Ctrl-C stops")
            if open_browser:
                # In a thread of its own: one in the terminal returns only when it is left.
                threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
            asyncio.run(server.serve([listener]))


class _Server(uvicorn.Server):
    """uvicorn's server, which stops as the other commands do."""

    def __init__(self, app: object, turns: Turns) -> None:
        super().__init__(
            uvicorn.Config(
                app,  # type: ignore[arg-type] # starlette's types of the same thing
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level=logging.ERROR,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_SECONDS_TO_LEAVE,
            )
        )
        self._turns = turns

    def ask_to_stop(self, *_signal: object) -> None:
        """Stop soon, the second time at once; as it stands, a signal's handler."""
        logging.getLogger("uvicorn.error").disabled = True  # it would tell whom it cuts off
        self._turns.stop()
        self.force_exit = self.should_exit
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to who started this."""
        yield


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(found[0][4][:2], family=found[0][0])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise TextgenError("port {port} is taken: give another --port", port=port) from None
        raise TextgenError(
            "textgen cannot listen on {host}, port {port}: {reason}",
            host=host,
            port=port,
            reason=os_reason(error),
        ) from None
    except UnicodeError:
        raise UsageError("--host {host} is no name of a host", host=host) from None
