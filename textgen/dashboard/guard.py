"""Who is answered: who asks by a name of this server, from no other site, and is its user.

Its user is known by the connection, see ``peers``, or by the token: in the URL, which leaves a
cookie, or in the Authorization header. What is refused is answered with one line, and not kept.
"""

import hmac
import logging
from typing import cast
from urllib.parse import parse_qsl, urlencode

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.routing import Router
from tornado.web import Application

from textgen.addresses import is_from, means
from textgen.dashboard.peers import is_own
from textgen.names import readable

log = logging.getLogger(__name__)

_MOST_TOLD = 20
"""Different refusals that are told in the terminal."""


class Guard(Router):
    """Refuses what others ask, and lets the rest through.

    Args:
        application: what answers.
        names: what listens: the name that was given, and the addresses that it led to.
        token: who shows it is answered.
        port: what listens; each server of a machine has its own cookie.
        everybody: whether its user has to show the token, too.
    """

    def __init__(
        self,
        application: Application,
        names: tuple[str, ...],
        token: str,
        port: int,
        *,
        everybody: bool,
    ) -> None:
        self._application = application
        self._names = names
        self._token = token
        self._cookie = f"textgen-{port}"
        self._everybody = everybody
        self._told: set[str] = set()

    def find_handler(self, request: HTTPServerRequest, **_: object) -> HTTPMessageDelegate | None:
        """Return what answers a request."""
        connection = cast(HTTPConnection, request.connection)
        if refusal := self._refusal(request):
            status, text = refusal
            self._tell(text)
            return _Answer(connection, status, f"This Visdom refuses: {text}\n")
        query = parse_qsl(request.query, keep_blank_values=True)
        if request.method == "GET" and self._is_token(dict(query).get("token")):
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            # One slash only: with two, it would be the address of another site.
            path = "/" + request.path.lstrip("/") + (f"?{rest}" if rest else "")
            cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
            headers = {"Location": path, "Set-Cookie": cookie}
            return _Answer(connection, (302, "Found"), "", headers)
        return self._application.find_handler(request)

    def _refusal(self, request: HTTPServerRequest) -> tuple[tuple[int, str], str] | None:
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if not means(host, self._names):
            text = f"Host is {host[:80]!r}: ask this server by its own name, {self._names[0]}"
            return (421, "Misdirected Request"), text
        if origin is not None and not is_from(origin, host):
            text = f"Origin is {origin[:80]!r}: pages of other sites may not ask this server"
            return (403, "Forbidden"), text
        if not self._is_its_user(request):
            text = "it is another user's: textgen monitor --token prints a URL that lets others in"
            return (403, "Forbidden"), text
        return None

    def _is_its_user(self, request: HTTPServerRequest) -> bool:
        cookie = request.cookies.get(self._cookie)
        shown = (
            dict(parse_qsl(request.query)).get("token"),
            request.headers.get("Authorization", "").removeprefix("token "),
            cookie.value if cookie else None,
        )
        if any([self._is_token(token) for token in shown]):  # noqa: C419 - all are compared
            return True
        stream = getattr(request.connection, "stream", None)
        return not self._everybody and stream is not None and is_own(stream.socket)

    def _is_token(self, shown: str | None) -> bool:
        return hmac.compare_digest((shown or "").encode("utf-8", "replace"), self._token.encode())

    def _tell(self, text: str) -> None:
        if text not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(text)
            log.warning("Refused: %s", readable(text))


class _Answer(HTTPMessageDelegate):
    """An answer that is known before the request's body, of which nothing is kept."""

    def __init__(
        self,
        connection: HTTPConnection,
        status: tuple[int, str],
        text: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        self._connection = connection
        self._status = status
        self._text = text.encode("utf-8", "replace")
        self._headers = headers or {}

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Wait for the end."""

    def data_received(self, chunk: bytes) -> None:
        """Keep nothing."""

    def finish(self) -> None:
        """Answer."""
        headers = HTTPHeaders(
            {
                "Content-Type": "text/plain; charset=utf-8",
                "Content-Length": str(len(self._text)),
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store",
                **self._headers,
            }
        )
        self._connection.write_headers(
            ResponseStartLine("HTTP/1.1", *self._status), headers, self._text
        )
        self._connection.finish()

    def on_connection_close(self) -> None:
        """Forget it."""
