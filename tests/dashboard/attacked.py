"""A real server under attack, in a process of its own, and who asks it as no page would."""

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import MOST_SECONDS, killing

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

PROGRAM = """
import functools, logging, sys
from pathlib import Path
from textgen.dashboard.without_torch import without_torch
with without_torch():
    from textgen.dashboard import handlers
    from textgen.dashboard.server import serve

logging.getLogger("textgen").addHandler(logging.StreamHandler())
handlers._MOST_UNREAD = 2_000_000
handlers.Room = functools.partial(handlers.Room, most=40_000_000)
serve("127.0.0.1", 0, Path(sys.argv[1]), lambda url: print(url, flush=True),
      everybody_shows_token="token" in sys.argv)
"""
"""A server as ``textgen monitor`` has it, with bounds that are reached sooner."""

SECONDS = 30.0

PATHS = ["../../x", "../run/config", "/etc/x", "..", ".", "", ".hidden", "a/b", "a\\b", "\0", "\n"]
BAD_NAMES = [*PATHS, "x" * 300, "<b>", "a.json", " a", "__proto__", "\ud800", 5, ["a"], {"a": 1}]
"""What is no name of an environment."""


@dataclass
class Answer:
    status: int
    body: str
    headers: dict[str, str]


@dataclass
class Server:
    """A server under attack."""

    url: str
    folder: Path
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return int(self.url.partition("/?")[0].rpartition(":")[2])

    @property
    def token(self) -> str:
        return self.url.partition("?token=")[2]

    def ask(
        self, path: str, body: object = None, method: str | None = None, **headers: str
    ) -> Answer:
        """Ask as no browser would: with any header, and a body that is no JSON where it is bytes.

        Names of headers are written with ``_`` for ``-``.
        """
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(
                method or ("GET" if data is None else "POST"),
                path,
                data,
                {name.replace("_", "-"): value for name, value in headers.items()},
            )
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(), dict(response.headers))
        finally:
            connection.close()

    def has(self, environment: str, window: str) -> bool:
        return self.ask("/win_exists", {"eid": environment, "win": window}).body == "true"

    def draw(self, environment: str, window: str, text: str = "a text") -> Answer:
        data = [{"type": "text", "content": text}]
        return self.ask("/events", {"eid": environment, "win": window, "data": data})

    def say(self, *messages: object, **headers: str) -> tuple[int | None, str | None]:
        """Say something over the page's websocket; return how the server closed it, if it did."""
        # In a thread of its own, for the browser's driver has an event loop in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._say(messages, headers)).result()

    async def _say(
        self, messages: tuple[object, ...], headers: dict[str, str]
    ) -> tuple[int | None, str | None]:
        request = HTTPRequest(f"ws://127.0.0.1:{self.port}/socket", headers=headers)
        connection = await websocket_connect(request)
        try:
            with suppress(WebSocketClosedError):
                for message in messages:
                    text = message if isinstance(message, str | bytes) else json.dumps(message)
                    await connection.write_message(text, binary=isinstance(message, bytes))
                # It closes for this one, if it has not before.
                await connection.write_message('{"cmd": "the last one"}')
            while await asyncio.wait_for(connection.read_message(), SECONDS) is not None:
                pass
            return connection.close_code, connection.close_reason
        finally:
            connection.close()

    def stop(self) -> str:
        """Stop it as its user does; return what it said."""
        self.process.terminate()
        _, said = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0
        assert "Traceback" not in said
        return said


@contextmanager
def serving(folder: Path, *arguments: str, seconds: float = MOST_SECONDS) -> Iterator[Server]:
    command = [sys.executable, "-c", PROGRAM, str(folder), *arguments]
    pipe = subprocess.PIPE
    started = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
    with killing(started, seconds) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, process.communicate(timeout=SECONDS)
        yield Server(url, folder, process)


def files_around(folder: Path) -> dict[str, bytes]:
    """Return all that lies beside a server's folder, three folders up."""
    above = folder.parents[2]
    return {
        str(path): path.read_bytes()
        for path in above.rglob("*")
        if path.is_file() and folder not in path.parents
    }
