"""Addresses of Visdom servers: what a user may write."""

from urllib.parse import SplitResult, parse_qs, urlsplit

from textgen.config import DEFAULT_VISDOM_PORT
from textgen.errors import UsageError


def parse_address(url: str) -> SplitResult:
    """Return a server's address with its parts; http and port 8097 where they are left out.

    Raises:
        UsageError: it is no address.
    """
    address = urlsplit(url if "//" in url else f"http://{url}")
    try:
        port = address.port or DEFAULT_VISDOM_PORT
    except ValueError:
        port = 0
    if not address.hostname or not port or address.scheme not in ("http", "https"):
        raise UsageError(
            "--visdom {url} is no address; give one such as http://127.0.0.1:8097", url=url
        )
    host = f"[{address.hostname}]" if ":" in address.hostname else address.hostname
    return address._replace(netloc=f"{host}:{port}")


def token_in(address: SplitResult) -> str | None:
    """Return the token in the URL that ``textgen monitor`` prints; none where there is none."""
    return parse_qs(address.query).get("token", [None])[0]


def without_token(url: str) -> str:
    """Return a URL as it may be shown to everybody."""
    return url.partition("?")[0].rstrip("/")
