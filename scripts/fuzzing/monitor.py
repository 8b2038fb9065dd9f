"""HTTP requests and websocket messages to a real monitor: each is answered or refused."""

import base64
import contextlib
import json
import os
import random
import re
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fuzzing.bounds import GIGABYTES, Bounds
from fuzzing.command import WrongError, in_folder
from fuzzing.kind import World
from fuzzing.mutations import TEXTS, mutated_bytes, mutated_json
from textgen.cli.commands import run

_SECONDS = 20.0
"""How long any answer may take that comes at all."""

_SECONDS_UNSURE = 0.1
"""How long an answer is waited for where none need come, since the request may not be whole."""

_WINDOW = {
    "data": [{"type": "scatter", "x": [1, 2], "y": [1.5, 2], "name": "curve", "mode": "lines"}],
    "layout": {"title": "t", "xaxis": {"type": "linear"}},
    "opts": {"title": "t", "width": 300, "caption": "c"},
    "eid": "fuzz",
    "win": "w",
}
_NOTE = {"data": [{"type": "text", "content": "x"}], "eid": "fuzz", "win": "n", "opts": {}}

_POSTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/events", _WINDOW),
    ("/events", _NOTE),
    ("/win_exists", {"eid": "fuzz", "win": "w"}),
    ("/win_data", {"eid": "fuzz", "win": "w"}),
    ("/env_state", {"eid": "fuzz"}),
    ("/save", {"data": ["fuzz"]}),
    ("/close", {"eid": "fuzz", "win": "w"}),
    ("/delete_env", {"eid": "fuzz"}),
    ("/fork_env", {"eid": "fork", "prev_eid": "fuzz"}),
    ("/env/fuzz", {"sid": "x"}),
    ("/update", {"data": [{"x": [1], "y": [2]}], "eid": "fuzz", "win": "w", "append": True}),
)

_GETS = ("/", "/env/fuzz", "/compare/fuzz+main", "/static/css/style.css", "/user/style.css")
_ODD_GETS = ("/favicon.ico", "/error/404", "/socket", "/vis_socket", "/socket_wrap", "/x", "//x")

_MESSAGES: tuple[dict[str, Any], ...] = (
    {"cmd": "close", "eid": "fuzz", "data": "w"},
    {"cmd": "undo", "eid": "fuzz"},
    {"cmd": "save", "eid": "fork", "prev_eid": "fuzz", "data": {"w": "x"}},
    {"cmd": "save_all"},
    {"cmd": "delete_env", "eid": "fuzz"},
    {"cmd": "save_layouts", "data": "[]"},
    {"cmd": "layout_item_update", "eid": "fuzz", "win": "w", "data": {"x": 1}},
    {"cmd": "update_comment", "eid": "fuzz", "win": "w", "data": "c"},
    {"cmd": "update_plot_layout", "eid": "fuzz", "win": "w", "data": {"title": "t"}},
    {"cmd": "forward_to_vis", "data": {"eid": "fuzz", "event_type": "KeyPress"}},
    {"cmd": "echo", "data": "x"},
)

_HEADERS = (
    "Host",
    "Origin",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Transfer-Encoding",
    "Range",
)
_VALUES = (
    "",
    "x",
    "-1",
    "0",
    "9" * 20,
    "127.0.0.1",
    "a.com",
    "chunked",
    "gzip",
    "bytes=0-",
    "null",
)


def request(draw: random.Random, world: World) -> str:
    """Send a changed request."""
    address = _address(world)
    body = b""
    if draw.random() < 0.6:
        method, (path, message) = "POST", draw.choice(_POSTS)
        body = json.dumps(message).encode()
        if draw.random() < 0.85:
            body = mutated_json(body, draw)
    else:
        method, path = "GET", draw.choice((*_GETS, *_ODD_GETS))
    if draw.random() < 0.3:
        path += draw.choice(("/", "?", "+", "")) + quote(
            draw.choice(TEXTS), safe=draw.choice(("", "/.<>")), errors="surrogatepass"
        )
    if draw.random() < 0.05:
        method = draw.choice(("PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "X" * 100, "get"))
    headers = {
        "Host": f"{address[0]}:{address[1]}",
        "Content-Length": str(len(body)),
        "Content-Type": "application/json",
        "Connection": "close",
    }
    if draw.random() < 0.2:
        headers[draw.choice(_HEADERS)] = draw.choice(_VALUES)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    data = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "replace") + body
    if draw.random() < 0.15:
        data = mutated_bytes(data, draw)
    (world.here / "request").write_bytes(data)
    with socket.create_connection(address, _SECONDS) as connection:
        answer = _answer(connection, data)
    status = re.match(rb"HTTP/1\.\d (\d+)", answer)
    if b"Traceback (most" in answer or (status and status[1].startswith(b"5")):
        raise WrongError(f"{data!r} is answered with {answer[:300]!r}")
    _require_alive(address)
    return "worked" if status and status[1].startswith(b"2") else "refused"


def message(draw: random.Random, world: World) -> str:
    """Send changed messages over a websocket."""
    address = _address(world)
    frames = b""
    for _ in range(draw.choice((1, 1, 3))):
        data = json.dumps(draw.choice(_MESSAGES)).encode()
        if draw.random() < 0.9:
            data = mutated_json(data, draw)
        frames += _frame(data, draw)
    if draw.random() < 0.2:
        frames = mutated_bytes(frames, draw)
    (world.here / "frames").write_bytes(frames)
    key = base64.b64encode(b"fuzzing" * 2 + b"xx").decode()
    hello = (
        f"GET /socket HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.create_connection(address, _SECONDS) as connection:
        connection.sendall(hello.encode())
        opened = connection.recv(1 << 16)
        if not opened.startswith(b"HTTP/1.1 101"):
            raise WrongError(f"the websocket is not opened: {opened[:300]!r}")
        answer = _answer(connection, frames + _frame(b"", draw, 8))
    if b"Traceback (most" in answer:
        raise WrongError(f"{frames!r} is answered with {answer!r}")
    _require_alive(address)
    return "refused" if b"\x03\xf0" in answer or b"\x03\xf3" in answer else "worked"


def _frame(data: bytes, draw: random.Random, kind: int | None = None) -> bytes:
    """Return a frame of a websocket, as a browser sends it."""
    opcode = draw.choice((1, 1, 1, 1, 1, 2, 0, 9, 3)) if kind is None else kind
    length = len(data)
    head = bytes((0x80 | opcode,))
    if length < 126:
        head += bytes((0x80 | length,))
    elif length < 2**16:
        head += bytes((0x80 | 126,)) + struct.pack(">H", length)
    else:
        head += bytes((0x80 | 127,)) + struct.pack(">Q", length)
    return head + bytes(4) + data


def _address(world: World) -> tuple[str, int]:
    if world.monitor is None:
        raise RuntimeError("there is no monitor")
    return world.monitor


def _answer(connection: socket.socket, data: bytes) -> bytes:
    """Return all that comes back until the server closes, or says nothing more."""
    answer = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        connection.sendall(data)
        connection.settimeout(_SECONDS_UNSURE)
        while piece := connection.recv(1 << 16):
            answer += piece
    return answer


def _require_alive(address: tuple[str, int]) -> None:
    data = f"GET /user/style.css HTTP/1.1\r\nHost: {address[0]}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(address, _SECONDS) as connection:
        connection.sendall(data.encode())
        if not connection.recv(1 << 16).startswith(b"HTTP/1.1 200"):
            raise WrongError("the monitor does not answer any more")


class Monitor:
    """A monitor in a process of its own.

    Args:
        folder: where it may write; its runs are there.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log.txt"
        self._told = 0
        self._process = os.fork()
        if self._process == 0:
            try:
                _serve(folder, self._log)
            finally:
                os._exit(1)
        self.address = self._wait()

    def _wait(self) -> tuple[str, int]:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            text = self._log.read_text("utf-8") if self._log.exists() else ""
            if found := re.search(r"Visdom is at http://([\d.]+):(\d+)", text):
                return found[1], int(found[2])
            time.sleep(0.05)
        raise RuntimeError("the monitor does not start")

    def problems(self, kind: str) -> Iterator[str]:
        """Yield what it did since the last time that it must not do, if it was sent anything."""
        if kind not in ("HTTP", "websocket"):
            return
        text = self._log.read_text("utf-8", "replace")[self._told :]
        self._told += len(text)
        if re.search(r"Traceback \(most|outside:|[\x00-\x08\x0b-\x1f\x7f-\x9f]", text):
            yield f"the monitor says: {text}"
        with contextlib.suppress(OSError):
            resident = int(Path(f"/proc/{self._process}/statm").read_text("ascii").split()[1])
            if resident * os.sysconf("SC_PAGE_SIZE") > GIGABYTES << 30:
                yield "the monitor has grown too large"

    def stop(self) -> int:
        """Stop it as Ctrl-C does; return its exit status."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGINT)
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])


def _serve(folder: Path, log: Path) -> None:
    file = log.open("wb", buffering=0)
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)
    sys.stdout = sys.stderr = open(2, "w", 1, encoding="utf-8", closefd=False)  # noqa: SIM115
    in_folder(folder)
    Bounds(folder, lambda what: print(f"outside: {what}", file=sys.stderr, flush=True)).enter()
    status = run(["monitor", "--port", "0", "--checkpoints", str(folder)])
    os._exit(status)
