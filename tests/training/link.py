"""Two hosts in one machine: network namespaces, joined by a link whose packets take their time.

    python -m tests.training.link LEFT RIGHT MILLISECONDS

The kernel's own delay, netem, is a module that not every kernel has; so the link is a tunnel device
in each namespace, and this program carries the packets. It needs root, and says "ready" when the
link is up.
"""

import ctypes
import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

_NEW_NETWORK = 0x40000000
_SET_INTERFACE = 0x400454CA
_TUNNEL_WITHOUT_HEADER = 0x0001 | 0x1000
DEVICE = "link0"


def open_end(namespace: str, address: str) -> int:
    """Return an open tunnel device of that address in a namespace, and enter the namespace."""
    with Path("/run/netns", namespace).open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "setns")
    tunnel = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tunnel, _SET_INTERFACE, struct.pack("16sH", b"link0", _TUNNEL_WITHOUT_HEADER))
    for words in (f"addr add {address}/24 dev {DEVICE}", f"link set {DEVICE} mtu 9000 up"):
        subprocess.run(["ip", *words.split()], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return tunnel


def carry(ends: tuple[int, int], seconds: float) -> None:
    """Carry packets from each end to the other, each of them so long after it was sent."""
    other = dict(zip(ends, reversed(ends), strict=True))
    under_way: deque[tuple[float, int, bytes]] = deque()
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        for end in select.select(ends, (), (), wait)[0]:
            under_way.append((time.monotonic() + seconds, other[end], os.read(end, 65_536)))
        while under_way and under_way[0][0] <= time.monotonic():
            _, end, packet = under_way.popleft()
            os.write(end, packet)


if __name__ == "__main__":
    left, right, milliseconds = sys.argv[1:]
    both = open_end(left, "10.213.0.1"), open_end(right, "10.213.0.2")
    print("ready", flush=True)
    carry(both, float(milliseconds) / 1000)
