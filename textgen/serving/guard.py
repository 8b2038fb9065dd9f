"""Who is answered: only who asks this server by a name of its own, and no page of another site."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textgen.addresses import is_from, means
from textgen.serving.refusal import Refused

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer: the page loads nothing from elsewhere, and stands in no other page."""


class Guard:
    """Refuses what others ask, and lets the rest through.

    Args:
        app: what answers.
        names: what listens: the name that was given, and the address that it led to.
    """

    def __init__(self, app: ASGIApp, names: tuple[str, ...]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        app = self._app
        if scope["type"] == "http" and (refused := self._refusal(Headers(scope=scope))):
            app = JSONResponse(refused.as_json(), refused.status)
        await app(scope, receive, send_with_headers)

    def _refusal(self, headers: Headers) -> Refused | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not means(host, self._names):
            return Refused(
                421,
                f"Host is {host[:80]!r}: ask this server by its own name, {self._names[0]}",
                code="foreign_host",
            )
        if origin is not None and not is_from(origin, host):
            return Refused(
                403,
                f"Origin is {origin[:80]!r}: pages of other sites may not ask this server",
                code="foreign_origin",
            )
        return None
