"""Who is on the other end of a connection within this machine: the kernel knows whose it is.

So nobody has to show a token to a server of his own, and no other user of the machine gets in.
Linux alone tells; elsewhere everybody is a stranger.
"""

import ipaddress
import os
import socket
import struct
from pathlib import Path

_TABLES = {socket.AF_INET: Path("/proc/net/tcp"), socket.AF_INET6: Path("/proc/net/tcp6")}
_ESTABLISHED = "01"
_NO_FILE = "0"
"""The number of a connection that no process has any more; its user reads as root."""


def are_known() -> bool:
    """Return whether this system says who has a connection."""
    return _TABLES[socket.AF_INET].exists()


def is_own(connection: socket.socket) -> bool:
    """Return whether a process of this very user, on this machine, has the other end."""
    table = _TABLES.get(connection.family)
    if table is None:
        return False
    try:
        other, own = connection.getpeername(), connection.getsockname()
        lines = table.read_text("ascii").splitlines()[1:]
    except OSError:  # closed, or no such table
        return False
    ends = [_written(other[0], other[1]), _written(own[0], own[1])]
    for line in lines:
        fields = line.split()
        if fields[1:3] == ends:
            state, user, file = fields[3], fields[7], fields[9]
            return state == _ESTABLISHED and file != _NO_FILE and int(user) == os.geteuid()
    return False


def _written(host: str, port: int) -> str:
    """Return an end of a connection as the kernel writes it: words of the machine's own order."""
    packed = ipaddress.ip_address(host.partition("%")[0]).packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"
