"""Pages that a browser has open, and everything that goes wrong with them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request, Response, Route

SECONDS = 30.0
"""How long a page may take on a busy machine."""


@dataclass
class Watched:
    """A page, and everything that went wrong with it."""

    page: "Page"
    server: str
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.route("**/*", self._route)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", self._on_failure)
        self.page.on("response", self._on_response)

    def _route(self, route: "Route") -> None:
        if route.request.url.startswith((f"{self.server}/", "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def _on_console(self, message: "ConsoleMessage") -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _on_failure(self, request: "Request") -> None:
        self.errors.append(f"{request.url}: {request.failure}")

    def _on_response(self, response: "Response") -> None:
        if response.status >= 400:
            self.errors.append(f"{response.url}: {response.status}")
