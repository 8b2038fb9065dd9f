"""Addresses of servers: which are this machine's own, who asks by which, where browsers find them.

A site that is open in the browser can have its own name lead to this machine (DNS rebinding), and
would then read what it likes; but the Host header still has that name. A number is no name that
could lead elsewhere.
"""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Return whether only this machine itself can be reached at, or reach, a host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_unspecified(host: str) -> bool:
    """Return whether a host stands for all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def reachable(host: str) -> str:
    """Return an address that a browser can open; "all addresses" is none."""
    if not is_unspecified(host):
        return host
    return "::1" if ":" in host else "127.0.0.1"


def url_of(host: str, port: int) -> str:
    """Return the URL of a server that listens there."""
    host = reachable(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def means(host: str, names: Sequence[str]) -> bool:
    """Return whether a Host header means a server.

    Ports are not compared: a tunnel has another one on its other end.

    Args:
        host: the header.
        names: what the server listens on: the name that was given, the address that it led to.
    """
    name = _name_of(host)
    own_names = [own.lower() for own in names]
    if name in own_names:
        return True
    if any(map(is_loopback, own_names)):
        return is_loopback(name)
    own = name in ("localhost", socket.gethostname().lower()) or _is_number(name)
    return own and any(map(is_unspecified, own_names))


def is_from(origin: str, host: str) -> bool:
    """Return whether an Origin header names the very server that the Host header names."""
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _name_of(host: str) -> str:
    """Return a Host header's name, without port and brackets; nothing if it is none."""
    try:
        return "" if "@" in host else urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
