"""Addresses of servers: what a user may write, and which are this machine's own."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

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
        raise UsageError(f"--visdom {url} is no address; give one such as http://127.0.0.1:8097")
    host = f"[{address.hostname}]" if ":" in address.hostname else address.hostname
    return address._replace(netloc=f"{host}:{port}")


def is_loopback(host: str) -> bool:
    """Return whether only this machine itself can be reached at, or reach, a host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
