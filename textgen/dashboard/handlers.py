"""What the server answers: of Visdom's routes those that are needed, each behind a check.

Visdom's own handlers do the work. What is not in the table is not found, also what a later Visdom
will have.
"""

import base64
import hashlib
import json
import re
from asyncio import Future
from collections.abc import Awaitable, Callable
from http.client import responses
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from tornado.iostream import IOStream, StreamBufferFullError
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketProtocol
from visdom.server.app import Application
from visdom.server.handlers import socket_handlers, web_handlers

from textgen.addresses import is_from
from textgen.dashboard import messages
from textgen.dashboard.messages import Message, RefusedError
from textgen.dashboard.names import START
from textgen.dashboard.page import Icon, finished
from textgen.dashboard.room import Room
from textgen.dashboard.saving import save_all

_MOST_SOCKETS = 64
_MOST_UNREAD = 64 * 1024**2
"""Bytes that wait for a page that does not read; then it is let go, and comes back or does not."""

_MOST_COMPARED = 100

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' {scripts}; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""A text pane holds HTML: what it brings along is not run, and nothing is loaded from elsewhere.

plotly compiles some of its plots, so its own scripts may; that runs no script of a pane.
"""

_INLINE = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)

WEBSOCKET_SETTINGS = {"websocket_max_message_size": 1024**2, "websocket_ping_interval": 30}


_ExceptionInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class _Refusal(HTTPError):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(status)
        self.text = text


class _Plain(RequestHandler):
    """An answer that no page takes for something else; an error is one line of plain text."""

    def set_default_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.set_header(name, value)

    def write_error(
        self, status_code: int, *, exc_info: _ExceptionInfo = (None, None, None), **_: object
    ) -> None:
        # Visdom 0.2.4 looks for a page that it has not, and never answers.
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        error = exc_info[1]
        text = error.text if isinstance(error, _Refusal) else responses.get(status_code, "")
        self.finish(f"This Visdom refuses: {text}\n")


class NotFound(_Plain):
    """Answers what is no route."""

    def prepare(self) -> None:
        """Refuse."""
        raise _Refusal(404, "there is nothing of this name here")


class _Checked(_Plain):
    """A handler of Visdom's that gets only what was looked at before."""

    check: Callable[[Message], None] | None = None
    """Of the message that is posted; none where nothing may be posted."""

    def initialize(self, app: Application, room: Room | None = None) -> None:
        super().initialize(app)
        self._visdom = app
        self._room = room

    def prepare(self) -> None:
        names = [name for path in self.path_args for name in path.split("+") if name]
        if len(names) > _MOST_COMPARED:
            raise _Refusal(422, f"at most {_MOST_COMPARED} environments can be compared")
        try:
            for name in names:
                messages.require_name(name)
            if self.request.method == "POST":
                self._prepare_post(names)
        except RefusedError as error:
            raise _Refusal(422, str(error)) from None

    def post(self, *path: str) -> Awaitable[None] | None:
        try:
            return super().post(*path)
        except (KeyError, AssertionError):  # Visdom does not look whether it is there
            raise _Refusal(404, "there is no such environment, or no such window in it") from None

    def _prepare_post(self, names: list[str]) -> None:
        if self.check is None:
            raise _Refusal(405, "nothing can be posted here")
        message = messages.parse(self.request.body)
        self.check(message)
        if self._room is not None:
            environment = message.get("eid") or (names or ["main"])[0]
            copied = self._room.size(message.get("prev_eid", ""))
            if self.check not in _MAKES_ROOM:
                self._room.require(environment, copied + len(self.request.body))
            self._room.changed(environment)
        if self.check is messages.deletion:
            _make_deletable(self._visdom, message["eid"])

    def get_template_namespace(self) -> dict[str, Any]:
        # Visdom's page writes names into its script, where HTML's escapes mean nothing.
        return {**super().get_template_namespace(), "escape": _in_script}

    def render_string(self, template_name: str, **kwargs: object) -> bytes:
        # Who names no environment, or one that is gone, sees the newest run.
        kwargs["active_item"] = kwargs.get("active_item") or START
        page = finished(super().render_string(template_name, **kwargs))
        digests = (hashlib.sha256(script).digest() for script in _INLINE.findall(page))
        scripts = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
        policy = _PAGE_POLICY.format(scripts=scripts, host=self.request.host)
        self.set_header("Content-Security-Policy", policy)
        return page


class _Socket(_Plain, socket_handlers.SocketHandler):
    """The page's websocket: it gets what changes, and sends what its user does."""

    def initialize(self, app: Application, room: Room) -> None:  # type: ignore[override]
        super().initialize(app)  # type: ignore[no-untyped-call]
        self._visdom = app
        self._room = room

    def prepare(self) -> None:
        if len(self._visdom.subs) >= _MOST_SOCKETS:
            raise _Refusal(503, f"{_MOST_SOCKETS} pages are open already: close some")

    def check_origin(self, origin: str) -> bool:
        return is_from(origin, self.request.host)

    def open(self) -> None:  # type: ignore[override]
        self._stream().max_write_buffer_size = _MOST_UNREAD
        super().open()  # type: ignore[no-untyped-call]

    def _stream(self) -> IOStream:
        connection = cast(WebSocketProtocol, self.ws_connection)
        return cast(IOStream, connection.stream)

    def on_message(self, message: str | bytes) -> None:
        try:
            self._obey(messages.parse(message))
        except RefusedError as error:
            self.close(1008, str(error))
        except Exception:  # whatever Visdom makes of it
            self.close(1011, "Visdom could not do that")

    def write_message(self, message: bytes | str | Message, binary: bool = False) -> "Future[None]":
        try:
            return super().write_message(message, binary)
        except StreamBufferFullError:
            self._stream().close()
        except WebSocketClosedError:
            pass  # and the others get it all the same
        nothing: Future[None] = Future()
        nothing.set_result(None)
        return nothing

    def _obey(self, message: Message) -> None:
        command = message.get("cmd")
        if command in messages.IGNORED:
            return
        check = messages.COMMANDS.get(command) if isinstance(command, str) else None
        if check is None:
            raise RefusedError("there is no such command")
        check(message)
        if command == "save_all":
            save_all(self._visdom)
            return
        name = message.get("eid", "main")
        source = message["prev_eid"] if command == "save" else name
        if command != "save_layouts" and source not in self._visdom.state:
            return  # deleted this moment
        if command == "delete_env":
            _make_deletable(self._visdom, name)
        elif command != "close":
            copied = self._room.size(source) if command == "save" else 0
            self._room.require(name, copied + len(json.dumps(message)))
        self._room.changed(name)
        super().on_message(json.dumps(message))  # type: ignore[no-untyped-call]


_MAKES_ROOM = (messages.closing, messages.deletion)


def _make_deletable(app: Application, name: str) -> None:
    """Let 0.2.4 delete an environment that it never saved: it misses the file."""
    if name in app.state:
        (Path(app.env_path) / f"{name}.json").touch()


def _checked(
    handler: type[RequestHandler], check: Callable[[Message], None] | None = None
) -> type[RequestHandler]:
    body = {"check": None if check is None else staticmethod(check)}
    return type(f"Checked{handler.__name__}", (_Checked, handler), body)


def _in_script(name: str) -> str:
    """Return a text as it stands between quotes in a script."""
    return re.sub(r"[^\w ]", lambda found: "".join(map(_code, found[0])), str(name))


def _code(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def routes(app: Application) -> list[tuple[str, type[RequestHandler], dict[str, Any]]]:
    """Return the whole table: a path, what answers, and what that is given.

    Args:
        app: Visdom's application, which holds the environments.
    """
    room = Room(app.state)
    reading = {"app": app}
    writing = {"app": app, "room": room}
    return [
        (r"/(?:.*/)?favicon\.(?:png|ico)", Icon, {}),
        (r"/()", _checked(web_handlers.IndexHandler), reading),
        (r"/env/([^/]*)", _checked(web_handlers.EnvHandler, messages.viewer), writing),
        (r"/compare/([^/]*)", _checked(web_handlers.CompareHandler, messages.viewer), reading),
        (r"/events", _checked(web_handlers.PostHandler, messages.window), writing),
        (r"/win_exists", _checked(web_handlers.ExistsHandler, messages.question), reading),
        (r"/win_data", _checked(web_handlers.DataHandler, messages.question), reading),
        (r"/env_state", _checked(web_handlers.EnvStateHandler, messages.environment), reading),
        (r"/save", _checked(web_handlers.SaveHandler, messages.saving), reading),
        (r"/close", _checked(web_handlers.CloseHandler, messages.closing), writing),
        (r"/delete_env", _checked(web_handlers.DeleteEnvHandler, messages.deletion), writing),
        (r"/fork_env", _checked(web_handlers.ForkEnvHandler, messages.fork), writing),
        (r"/socket", _Socket, writing),
        (r"/user/(style\.css)", _checked(web_handlers.UserSettingsHandler), reading),
    ]
