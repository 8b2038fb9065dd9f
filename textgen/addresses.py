"""Addresses of servers: which are this machine's own, and where a browser finds them."""

import ipaddress


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
