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
import json
import logging
import re
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_sockets
from tornado.routing import AnyMatches, Matcher, PathMatches, Rule, RuleRouter
from tornado.web import Application, ErrorHandler
from visdom.server import app as visdom_app
from visdom.utils.server_utils import gather_envs

from textgen.addresses import reachable, url_of
from textgen.dashboard.page import ASSETS, Icon, page_files, static_handler
from textgen.errors import TextgenError
from textgen.interrupts import handling

log = logging.getLogger(__name__)


_LARGEST_REQUEST = 1024**3
"""Bytes, as Visdom has it: a window is sent whole."""

_SECONDS_TO_ASK = 2.0


def serve(
    address: str,
    port: int,
    env_path: Path,
    ready: Callable[[str], None],
    open_browser: bool = False,
) -> None:
    """Run a Visdom server until Ctrl-C, SIGTERM or SIGHUP, then save its environments.

    Args:
        address: the only address that listens; an IP address or a host's name.
        port: the port that listens; 0 for any free one.
        env_path: folder of the saved environments, read at the start and written at the end.
        ready: called with the server's URL when it listens; the server waits for it to return.
        open_browser: open the URL in the browser, too.

    Raises:
        TextgenError: the port is taken, the address is none of this machine's, the folder
            cannot be written, or a file of the page is missing.
    """
    sockets = _listen(address, port)
    try:
        with _silent_libraries():
            asyncio.run(_serve(sockets, address, env_path, ready, open_browser))
    finally:
        for listener in sockets:
            listener.close()


async def _serve(
    sockets: list[socket.socket],
    address: str,
    env_path: Path,
    ready: Callable[[str], None],
    open_browser: bool,
) -> None:
    stop = asyncio.Event()
    port = sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    # Not loop.add_signal_handler, which Windows does not have. A second signal while all is being
    # saved changes nothing.
    with handling(lambda *_: loop.call_soon_threadsafe(stop.set)):
        with _errors_of(env_path):
            application = _application(port, env_path)
        server = HTTPServer(_guarded(application), max_buffer_size=_LARGEST_REQUEST)
        server.add_sockets(sockets)
        url = url_of(address, port)
        if open_browser:
            # In a thread of its own: a browser in the terminal returns only when it is left.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        ready(url)
        await stop.wait()
        server.stop()
        with _errors_of(env_path):
            _save(application, env_path)


@contextlib.contextmanager
def _errors_of(env_path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TextgenError(
            f"{env_path} cannot keep Visdom's environments: {error.strerror or error}"
        ) from None


class _FromAnotherSite(Matcher):
    """Matches what a page of another site sends.

    Visdom itself takes it. A text pane may hold scripts, so any site that is open in the browser
    could run its own in the dashboard's name.
    """

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        origin = request.headers.get("Origin")
        return None if origin is None or urlsplit(origin).netloc == request.host else {}


def _guarded(application: Application) -> RuleRouter:
    refusal = Application([(r".*", ErrorHandler, {"status_code": 403})])
    icon = Application([(r".*", Icon)])
    return RuleRouter(
        [
            Rule(_FromAnotherSite(), refusal),
            Rule(PathMatches(r"/(.*/)?favicon\.(png|ico)"), icon),
            Rule(AnyMatches(), application),
        ]
    )


def _application(port: int, env_path: Path) -> visdom_app.Application:
    _set_aside_what_is_broken(env_path)
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


def _set_aside_what_is_broken(env_path: Path) -> None:
    """Rename saved environments that Visdom cannot read: 0.2.4 would not start, 0.3 empty them."""
    env_path.mkdir(parents=True, exist_ok=True)
    for file in env_path.glob("*.json"):
        try:
            content = json.loads(file.read_bytes())
        except ValueError:
            content = None
        if not isinstance(content, dict) or not {"jsons", "reload"} <= content.keys():
            aside = file.replace(file.with_suffix(".broken"))
            log.warning("%s is no environment of Visdom; it is now %s", file, aside)


def _save(application: visdom_app.Application, env_path: Path) -> None:
    """Write all environments with Visdom's own serializer."""
    if hasattr(application, "storage"):  # 0.3
        application.storage.save_all(application.state)
    else:
        from visdom.utils.server_utils import serialize_all

        serialize_all(application.state, env_path=str(env_path))


def _listen(address: str, port: int) -> list[socket.socket]:
    try:
        return bind_sockets(port, address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise TextgenError(
                f"Visdom cannot listen on {address}, port {port}: {error.strerror or error}"
            ) from None
    if _is_visdom(address, port):
        raise TextgenError(
            f"port {port} is taken: a Visdom is already there, at {url_of(address, port)}; "
            "use that one, or give this one another --port"
        )
    raise TextgenError(
        f"port {port} is taken, and what has it does not answer as a Visdom: give another --port"
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
    return re.search(rb"<title>\s*visdom", page, re.IGNORECASE) is not None


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
