"""A Visdom server that needs no network but the loopback.

Visdom's own start downloads twenty files from the Internet, listens on every address, and leaves
its state in the home folder. Here the page's files come from packages and from ``assets/``, only
the given address listens, and the environments stay in the given folder.

Importing this module takes a second, so it is imported late.
"""

import asyncio
import contextlib
import errno
import http.client
import logging
import re
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from visdom.server import app as visdom_app
from visdom.utils.server_utils import gather_envs

from textgen.addresses import is_loopback, reachable, url_of
from textgen.dashboard.guard import Guard
from textgen.dashboard.handlers import WEBSOCKET_SETTINGS, NotFound, routes
from textgen.dashboard.page import ASSETS, page_files, static_handler
from textgen.dashboard.peers import are_known
from textgen.dashboard.saving import save_all, set_aside_what_is_broken
from textgen.dashboard.tokens import keeping, new_token
from textgen.errors import TextgenError, UsageError, os_reason
from textgen.interrupts import handling

log = logging.getLogger(__name__)


_LARGEST_REQUEST = 32 * 1024**2
"""Bytes: a window is sent whole, and of a curve at most a thousand points."""

_SECONDS_IDLE = 60.0
"""How long a connection may be open that asks nothing, or takes to send what it asks."""

_SECONDS_TO_ASK = 2.0


def serve(
    address: str,
    port: int,
    env_path: Path,
    ready: Callable[[str], None],
    open_browser: bool = False,
    everybody_shows_token: bool = False,
) -> None:
    """Run a Visdom server until Ctrl-C, SIGTERM or SIGHUP, then save its environments.

    Args:
        address: the only address that listens; an IP address or a host's name.
        port: the port that listens; 0 for any free one.
        env_path: folder of the saved environments, read at the start and written at the end.
        ready: called when it listens, with its URL, which has the token where one is needed; the
            server waits for it to return.
        open_browser: open the URL in the browser, too.
        everybody_shows_token: ask also those for the token who are known to be this server's user.

    Raises:
        TextgenError: the port is taken, the address is none of this machine's, the folder
            cannot be written, or a file of the page is missing.
    """
    sockets = _listen(address, port)
    try:
        with _silent_libraries():
            asyncio.run(
                _serve(sockets, address, env_path, ready, open_browser, everybody_shows_token)
            )
    finally:
        for listener in sockets:
            listener.close()


async def _serve(
    sockets: list[socket.socket],
    address: str,
    env_path: Path,
    ready: Callable[[str], None],
    open_browser: bool,
    everybody_shows_token: bool,
) -> None:
    stop = asyncio.Event()
    port = sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    # Not loop.add_signal_handler, which Windows does not have. A second signal while all is being
    # saved changes nothing.
    with handling(lambda *_: loop.call_soon_threadsafe(stop.set)):
        with _errors_of(env_path):
            visdom = _visdom(port, env_path)
        token = new_token()
        names = (address, *(str(listener.getsockname()[0]) for listener in sockets))
        guard = Guard(_application(visdom), names, token, port, everybody=everybody_shows_token)
        server = HTTPServer(
            guard,
            max_buffer_size=2 * _LARGEST_REQUEST,
            max_body_size=_LARGEST_REQUEST,
            idle_connection_timeout=_SECONDS_IDLE,
            body_timeout=_SECONDS_IDLE,
        )
        server.add_sockets(sockets)
        plain_url = url = url_of(address, port)
        if everybody_shows_token or not (is_loopback(address) and are_known()):
            url += f"/?token={token}"
        if open_browser:
            # In a thread of its own: a browser in the terminal returns only when it is left.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        with contextlib.ExitStack() as kept:
            with _errors_of(env_path):
                kept.enter_context(keeping(token, env_path, port, plain_url))
            ready(url)
            await stop.wait()
        server.stop()
        save_all(visdom)


@contextlib.contextmanager
def _errors_of(env_path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TextgenError(
            "{folder} cannot keep Visdom's environments: {reason}",
            folder=env_path,
            reason=os_reason(error),
        ) from None


def _application(visdom: visdom_app.Application) -> Application:
    """Return what answers in place of Visdom's own application, which only holds all there is."""
    return Application(
        routes(visdom),
        default_handler_class=NotFound,
        **{**visdom_app.tornado_settings, "debug": False, **WEBSOCKET_SETTINGS},
    )


def _visdom(port: int, env_path: Path) -> visdom_app.Application:
    set_aside_what_is_broken(env_path)
    # When it compares environments, 0.2.4 does not say in which folder they are, and this
    # function looks in $HOME, where there is none.
    if gather_envs.__defaults__:
        gather_envs.__defaults__ = (str(env_path),)
    visdom_app.tornado_settings.update(
        static_handler_class=static_handler(page_files()),
        # Visdom's application turns debugging on; without these, it would restart whenever a
        # source file changes, and read every static file anew for every page.
        autoreload=False,
        serve_traceback=False,
        static_hash_cache=True,
    )
    application = visdom_app.Application(
        port=port,
        base_url="",
        env_path=str(env_path),
        # Visdom 0.2.4 saves "null" for an environment that nobody has looked at, and so loses it.
        eager_data_loading=True,
    )
    # Visdom lets its user add to the page's style; what the user has of it comes after ours.
    style = (ASSETS / "css" / "textgen.css").read_text(encoding="utf-8")
    application.user_settings["user_css"] = style + application.user_settings["user_css"]
    return application


def _listen(address: str, port: int) -> list[socket.socket]:
    try:
        return bind_sockets(port, address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise TextgenError(
                "Visdom cannot listen on {address}, port {port}: {reason}",
                address=address,
                port=port,
                reason=os_reason(error),
            ) from None
    except UnicodeError:
        raise UsageError("--host {address} is no name of a host", address=address) from None
    if _is_visdom(address, port):
        raise TextgenError(
            "port {port} is taken: a Visdom is already there, at {url}; "
            "use that one, or give this one another --port",
            port=port,
            url=url_of(address, port),
        )
    raise TextgenError(
        "port {port} is taken, and what has it does not answer as a Visdom: give another --port",
        port=port,
    )


def _is_visdom(address: str, port: int) -> bool:
    """Return whether what listens there shows Visdom's page; False when it says nothing."""
    connection = http.client.HTTPConnection(
        reachable(address), port, timeout=_SECONDS_TO_ASK
    )  # unlike urllib, this one never goes through a proxy
    try:
        connection.request("GET", "/")
        page = connection.getresponse().read(1 << 16)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return re.search(rb"<title>\s*visdom|^This Visdom", page, re.IGNORECASE) is not None


@contextlib.contextmanager
def _silent_libraries() -> Iterator[None]:
    """Keep the logs of Visdom and tornado off the terminal.

    Both log through the root logger; with no handler there, Python prints what they say.
    """
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
