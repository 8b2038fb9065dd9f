"""Attacks on a real server, in a process of its own: each fails, and is told why.

One server for most of them, with a run's folder beside its own: what they would write or delete.
"""

import asyncio
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import copy_run
from tests.pages import Watched
from tests.processes import killing, wait_for
from textgen.dashboard import peers
from textgen.dashboard.messages import RefusedError
from textgen.dashboard.mirror import ALL_RUNS, MirrorThread
from textgen.dashboard.names import is_plain, plain
from textgen.dashboard.room import Room
from textgen.plots.run import of_run
from textgen.runs.folder import Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

PROGRAM = """
import functools, logging, sys
from pathlib import Path
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
def serving(folder: Path, *arguments: str) -> Iterator[Server]:
    command = [sys.executable, "-c", PROGRAM, str(folder), *arguments]
    pipe = subprocess.PIPE
    with killing(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)) as process:
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("attacked") / "a" / "b" / "visdom"
    folder.mkdir(parents=True)
    for beside in (folder.parent / "run", folder.parent.parent):
        beside.mkdir(exist_ok=True)
        (beside / "config.json").write_text("{}")
    before = files_around(folder)
    with serving(folder) as server:
        assert server.draw("main", "control").status == 200
        yield server
        assert server.has("main", "control")  # after all that
        server.stop()
    assert files_around(folder) == before
    assert all(is_plain(file.stem) for file in folder.glob("*.json"))


# Who asks


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.", "127.0.0.1@evil.example", "", "[::1",
     "evil.example@127.0.0.1", "0x7f000001", "192.0.2.1"],
)  # fmt: skip
def test_a_name_that_came_to_point_here_is_refused(server: Server, host: str) -> None:
    window = {"eid": "main", "win": "control"}
    for path, body in (("/", None), ("/win_data", window), ("/env/x", {"eid": "rebound"})):
        answer = server.ask(path, body, Host=f"{host}:{server.port}")
        assert answer.status == 421 or (answer.status == 400 and not answer.body)
        assert "a text" not in answer.body
    with pytest.raises(HTTPClientError, match=r"421|400"):
        server.say(Host=f"{host}:{server.port}")
    assert "rebound" not in server.ask("/").body


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:1", "127.0.0.1:9000", "[::1]:8097"])
def test_its_own_names_and_a_tunnels_port_are_answered(server: Server, host: str) -> None:
    answer = server.ask("/win_exists", {"win": "control"}, Host=host, Origin=f"http://{host}")
    assert answer == Answer(200, "true", answer.headers)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "", "["]
)
def test_no_page_of_another_site_asks_or_listens(server: Server, origin: str) -> None:
    answer = server.ask("/env/x", {"eid": "foreign"}, Origin=origin)
    assert answer.status == 403
    assert "pages of other sites may not ask" in answer.body
    with pytest.raises(HTTPClientError, match="403"):
        server.say(Origin=origin)
    assert "foreign" not in server.ask("/").body


def test_a_page_in_chromium_whose_name_came_to_point_here(
    server: Server, browser: "Browser"
) -> None:
    rebound = f"http://evil.example:{server.port}"
    shell = browser.browser_type.launch(
        executable_path=shutil.which("chromium"),
        args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP evil.example 127.0.0.1"],
    )
    page = shell.new_page()
    answer = page.goto(f"{rebound}/env/main")
    assert answer is not None
    assert answer.status == 421
    written = page.evaluate(
        """() => fetch('/env/x', {method: 'POST', body: '{"eid": "../../left"}'})
            .then(answer => answer.status)"""
    )
    heard = page.evaluate(
        """() => new Promise(resolve => {
            const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
            socket.onmessage = event => resolve(event.data);
            socket.onerror = () => resolve('nothing');
        })"""
    )
    shell.close()
    assert (written, heard) == (421, "nothing")


# Names


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_names_are_plain_over_http(server: Server, name: object) -> None:
    text = [{"type": "text", "content": "x"}]
    for path, message in (
        ("/env/x", {"eid": name}),
        ("/env/x", {"eid": name, "sid": "x"}),
        ("/events", {"eid": name, "win": "a", "data": text}),
        ("/events", {"eid": "main", "win": name, "data": text}),
        ("/win_exists", {"eid": name, "win": "a"}),
        ("/close", {"eid": name}),
        ("/close", {"eid": "main", "win": name}),
        ("/save", {"data": ["main", name]}),
        ("/delete_env", {"eid": name}),
        ("/fork_env", {"eid": name, "prev_eid": "main"}),
        ("/fork_env", {"eid": "x", "prev_eid": name}),
        ("/env_state", {"eid": name}),
        ("/win_data", {"eid": "main", "win": name}),
    ):
        answer = server.ask(path, message)
        assert answer.status == 422, (path, message)
        assert "must be a plain one" in answer.body


@pytest.mark.parametrize("route", ["env", "compare"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_names_are_plain_in_paths(server: Server, route: str, method: str) -> None:
    body = {"sid": "x"} if method == "POST" else None
    for name in ("..%2f..%2fx", "%2e%2e", "%2fetc%2fx", "a%5cb", "%00", "x" * 300, "%3Cb%3E"):
        for path in (f"/{route}/{name}", f"/{route}/main+{name}"):
            answer = server.ask(path, body)
            assert answer.status in {422, 404, 400}, path
            assert "<" not in answer.body


COMMANDS = [
    "close", "delete_env", "save", "layout_item_update", "undo", "update_comment",
    "update_plot_layout",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_names_are_plain_over_the_websocket(server: Server, command: str) -> None:
    good = {"cmd": command, "eid": "main", "prev_eid": "main", "win": "a", "data": {}}
    names = {"close": ["eid", "data"], "save": ["eid", "prev_eid"]}.get(command, ["eid", "win"])
    if command in ("delete_env", "undo"):
        names = ["eid"]
    if command == "close":
        good["data"] = "a"
    attacks = [{**good, place: name} for name in BAD_NAMES for place in names]

    async def attack() -> list[tuple[int | None, str | None]]:
        return await asyncio.gather(*(server._say((message,), {}) for message in attacks))

    with ThreadPoolExecutor(1) as thread:
        closed = thread.submit(asyncio.run, attack()).result()
    for message, (code, reason) in zip(attacks, closed, strict=True):
        assert code == 1008, message
        assert "must be a plain one" in str(reason)


@given(st.text(max_size=300))
def test_a_plain_name_looks_like_the_name_and_is_one(name: str) -> None:
    assert is_plain(plain(name))
    assert plain(plain(name)) == plain(name)
    if is_plain(name):
        assert plain(name) == name


def test_names_that_are_none_stay_apart() -> None:
    names = ["a\\", "a", "<a", "a" * 300, "a" * 301, "..", "...", "a\0", "a\1", "a\ud800", " a", ""]
    assert len({plain(name) for name in names}) == len(names)
    assert plain("back\\") == "back＼"
    assert is_plain('it\'s "one" & 甲')


# Routes


@pytest.mark.parametrize(
    "path",
    ["/error/x", "/error/500", "/socket_wrap", "/vis_socket_wrap", "/vis_socket",
     "/update", "/win_hash", "/upload_env",
     "/upload", "/experiments/log", "/health", "/user/../x", "/anything"],
)  # fmt: skip
def test_a_route_that_nobody_needs_is_no_route(server: Server, path: str) -> None:
    attack = {"eid": "../../x", "prev_eid": "main", "data": ["main"], "win": "control"}
    for body in (None, attack):
        answer = server.ask(path, body)
        assert answer.status == 404
        assert answer.body == "This Visdom refuses: there is nothing of this name here\n"
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_program_may_do_what_the_page_does(server: Server) -> None:
    assert server.draw("of a program", "window").status == 200
    forked = server.ask("/fork_env", {"eid": "forked", "prev_eid": "of a program"})
    assert (forked.status, forked.body) == (200, "forked")
    assert server.has("forked", "window")
    assert {"forked", "of a program"} <= set(json.loads(server.ask("/env_state", {}).body))
    assert server.ask("/close", {"eid": "forked", "win": "window"}).status == 200
    assert not server.has("forked", "window")
    assert server.ask("/save", {"data": ["of a program"]}).status == 200
    assert (server.folder / "of a program.json").exists()
    for name in ("forked", "of a program"):
        assert server.ask("/delete_env", {"eid": name}).status == 200
        assert not (server.folder / f"{name}.json").exists()
    gone = {"eid": "forked", "win": "window"}
    for path in ("/win_data", "/close"):
        assert server.ask(path, gone).status == 404, path
    assert server.ask("/delete_env", gone).status in (200, 404)  # to Visdom 0.3 it is done
    assert server.ask("/fork_env", {"eid": "x", "prev_eid": "forked"}).status == 404
    text = [{"type": "text", "content": "x"}]
    assert server.ask("/events", {"data": text, "opts": None}).status == 422
    assert server.ask("/delete_env", {}).status == 422
    assert server.draw("never saved", "window").status == 200
    assert server.ask("/delete_env", {"eid": "never saved"}).status == 200


def test_nobody_logs_in_and_windows_are_drawn_in_one_way_only(server: Server) -> None:
    assert server.ask("/", {"username": "a", "password": "b"}).status == 405
    loaded = {"eid": "main", "win": None, "data": "{}"}
    assert server.ask("/win_data", loaded).status == 422
    assert server.has("main", "control")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"win": NaN}', b'{"win": 1e999}',
        b'{"a":' * 100_000, b"[" * 100_000, '{"win": "a"}'.encode("utf-16"),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_message_is_told_so(server: Server, body: bytes) -> None:
    for path in ("/events", "/win_exists", "/env/x", "/compare/main"):
        answer = server.ask(path, body)
        assert answer.status == 422, path
        assert answer.body.startswith("This Visdom refuses: it ")
    assert server.say(body)[0] in {1007, 1008}
    assert server.say(body.decode("latin-1"))[0] == 1008


TEXT = {"type": "text", "content": "x"}
PLOT = {"type": "scatter", "x": [0], "y": [1]}


@pytest.mark.parametrize(
    "window",
    [
        {}, {"data": []}, {"data": [5]}, {"data": [{}]}, {"data": {"type": "text"}},
        {"data": [{"type": "text", "content": 5}]}, {"data": [PLOT]},
        {"data": [TEXT], "opts": {"title": {"a": 1}}}, {"data": [TEXT], "opts": []},
        {"data": [TEXT], "opts": {"width": "wide"}}, {"data": [TEXT], "func": "text"},
        {"data": [PLOT], "layout": "none"}, {"data": [TEXT], "version": "new"},
        *({"data": [{"type": kind, "content": {}}], "layout": {}}
          for kind in ("embeddings", "image", "image_history", "network", "properties")),
    ],
    ids=range(18),
)  # fmt: skip
def test_a_window_that_would_empty_the_page_is_refused(
    server: Server, window: dict[str, object]
) -> None:
    answer = server.ask("/events", {"eid": "main", "win": "odd", **window})
    assert answer.status == 422
    assert answer.body.startswith("This Visdom refuses: ")
    assert not server.has("main", "odd")


def test_the_page_may_still_do_all_that_it_does(server: Server) -> None:
    server.draw("kept", "first")
    server.draw("kept", "second")
    code, reason = server.say(
        {"cmd": "layout_item_update", "eid": "kept", "win": "first", "data": [1, {"x": 2}]},
        {"cmd": "save", "eid": "copy", "prev_eid": "kept", "data": {"first": [1, {}]}},
        {"cmd": "close", "eid": "kept", "data": "second"},
        {"cmd": "save_layouts", "data": "[]"},
        {"cmd": "save_all"},
        {"cmd": "forward_to_vis", "data": {"eid": "kept", "target": "first"}},
        {"cmd": "pop_embeddings_pane", "data": {"eid": "../x"}},
        {"cmd": "delete_env", "eid": "never was"},
    )
    assert (code, reason) == (1008, "there is no such command")  # the last one, of say
    assert server.has("kept", "first")
    assert not server.has("kept", "second")
    assert server.has("copy", "second")
    saved = json.loads((server.folder / "copy.json").read_bytes())
    assert list(saved["jsons"]) == ["first", "second"]
    assert (server.folder / "view" / "layouts.json").read_text() == "[]"
    server.say({"cmd": "delete_env", "eid": "copy"})
    assert not (server.folder / "copy.json").exists()
    assert not server.has("copy", "first")


# Memory


def test_a_request_is_bounded(server: Server) -> None:
    large = b" " * (33 * 1024**2)
    with suppress(OSError):  # it hangs up while all that is still being sent
        assert server.ask("/events", large).status == 400
    assert server.say("x" * 2_000_000)[0] in {1009, None}  # too large, or just hung up
    assert server.has("main", "control")


def test_all_environments_together_are_bounded_and_room_is_made_again(server: Server) -> None:
    statuses = [server.draw("large", f"window {n}", "x" * 9_000_000).status for n in range(6)]
    assert statuses == [200] * 4 + [422] * 2
    refused = server.draw("another", "window", "x" * 9_000_000)
    assert "all environments together may take 38 MB: delete some" in refused.body
    copying = {"cmd": "save", "eid": "large 2", "prev_eid": "large", "data": {}}
    assert server.say(copying)[0] == 1008
    assert server.ask("/fork_env", {"eid": "large 2", "prev_eid": "large"}).status == 422
    assert server.draw("another", "window").status == 200  # a small one has room
    server.say({"cmd": "delete_env", "eid": "large"})
    assert server.draw("another", "window", "x" * 9_000_000).status == 200
    server.say({"cmd": "delete_env", "eid": "another"})


def test_environments_are_counted() -> None:
    held: dict[str, dict[str, object]] = {str(n): {"jsons": {}, "reload": {}} for n in range(4096)}
    room = Room(held)
    room.require("0", 1)
    with pytest.raises(RefusedError, match="there are 4,096 environments"):
        room.require("one more", 1)
    del held["5"]
    room.require("one more", 1)
    assert room.taken() > 4095 * 1024


def test_pages_are_counted_and_who_does_not_read_is_let_go(server: Server) -> None:
    opened = []
    try:
        for _ in range(64):
            listener = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
            opened.append(listener)
            listener.sendall(
                b"GET /socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                b"Sec-WebSocket-Version: 13\r\n\r\n"
            )
            assert listener.recv(12) == b"HTTP/1.1 101"
        with pytest.raises(HTTPClientError, match="503"):
            server.say()
        for _ in range(8):  # none of them reads
            assert server.draw("main", "control", "x" * 2_000_000).status == 200
        opened[0].settimeout(SECONDS)
        with suppress(ConnectionError):  # let go, once what had come is read
            while opened[0].recv(1 << 20):
                pass
    finally:
        for listener in opened:
            listener.close()
    server.draw("main", "control")
    wait_for(lambda: server.ask("/").status == 200)


# Saving


def test_one_that_cannot_be_saved_does_not_keep_the_others_from_it(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        for name in ("a", "b", "c"):
            server.draw(name, "window")
        (tmp_path / "b.json").mkdir()
        said = server.stop()
    assert said.count("\n") == 1
    assert "b is not saved: " in said
    for name in ("a", "c"):
        assert "window" in json.loads((tmp_path / f"{name}.json").read_bytes())["jsons"]


def test_a_saved_environment_that_is_none_is_set_aside(tmp_path: Path) -> None:
    contents = {
        "list": '{"jsons": [], "reload": {}}',
        "number": '{"jsons": {"a": 5}, "reload": {}}',
        "deep": "[" * 100_000,
        "<b>": '{"jsons": {}, "reload": {}}',
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.json").write_text(content)
    with serving(tmp_path) as server:
        assert json.loads(server.ask("/env_state", {}).body) == ["main"]
        server.stop()
    for name, content in contents.items():
        assert (tmp_path / f"{name}.broken").read_text() == content


# Other users


def test_the_token_lets_in_and_nothing_else_does(tmp_path: Path) -> None:
    with serving(tmp_path, "token") as server:
        (file,) = tmp_path.glob("token-*")
        assert file.name == f"token-{server.port}"
        assert file.read_text() == server.token
        assert file.stat().st_mode & 0o777 == 0o600
        cookie = f"textgen-{server.port}"
        wrong = "x" * len(server.token)
        window = {"win": "a"}
        for headers in ({}, {"Authorization": f"token {wrong}"}, {"Cookie": f"{cookie}={wrong}"}):
            for path, body in (("/", None), ("/?token=", None), (f"/?token={wrong}", None),
                               ("/static/js/main.js", None), ("/win_exists", window)):  # fmt: skip
                answer = server.ask(path, body, **headers)
                assert answer.status == 403
                assert "prints a URL that lets others in" in answer.body
            with pytest.raises(HTTPClientError, match="403"):
                server.say(**headers)
        answer = server.ask(f"//evil.example/env/main?a=b&token={server.token}")
        assert (answer.status, answer.headers["Location"]) == (302, "/evil.example/env/main?a=b")
        given = answer.headers["Set-Cookie"]
        assert given == f"{cookie}={server.token}; Path=/; HttpOnly; SameSite=Strict"
        assert "<title>visdom</title>" in server.ask("/", Cookie=given.partition(";")[0]).body
        shown = {"Authorization": f"token {server.token}"}
        assert server.ask("/win_exists", window, **shown).body == "false"
        assert server.say(**shown)[0] == 1008
        foreign = server.ask(f"/?token={server.token}", Host="evil.example")
        assert foreign.status == 421
        server.stop()
    assert not file.exists()


def test_a_browser_opens_the_url_with_the_token_once(
    tmp_path: Path, watch: Callable[[str], Watched]
) -> None:
    with serving(tmp_path, "token") as server:
        server.ask("/env/seen", {"eid": "seen"}, Authorization=f"token {server.token}")
        url = f"http://127.0.0.1:{server.port}"
        page = watch(url).page
        page.goto(server.url)
        assert page.url == f"{url}/"
        for _ in range(2):
            page.wait_for_function("document.body.innerText.includes('online')")
            page.goto(url)
        assert page.evaluate("document.cookie") == ""
        server.stop()


def test_a_training_finds_the_token(tiny_run: Run, in_folder: Path) -> None:
    assert Path.cwd() == in_folder
    run = copy_run(tiny_run, "drawn")
    with serving(run.folder.parent / ".visdom", "token") as server:
        plain_url = f"http://127.0.0.1:{server.port}"
        for url, root in ((plain_url, run.folder.parent), (server.url, in_folder / "elsewhere")):
            thread = MirrorThread(url, root, lambda: [of_run(run)])
            thread.start()
            thread.close()
            assert thread._drawn
        server.stop()


def test_without_the_token_one_line_says_what_to_give(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path / "visdom", "token") as server:
        thread = MirrorThread(f"127.0.0.1:{server.port}", tmp_path, list)
        thread.start()
        wait_for(lambda: caplog.messages)
        thread.close()
        server.stop()
    assert "give --visdom the URL that textgen monitor --token prints" in caplog.text
    assert server.token not in caplog.text


@pytest.mark.skipif(not peers.are_known(), reason="this system does not say whose a connection is")
def test_whose_a_connection_is() -> None:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.create_server((host, 0), family=family) as listener:
            other = socket.create_connection(listener.getsockname()[:2])
            own, _ = listener.accept()
            with own:
                assert peers.is_own(own)
                other.close()  # nobody's any more, and the kernel would call it root's
                assert own.recv(1) == b""
                assert not peers.is_own(own)
            assert not peers.is_own(own)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another user"
)
@pytest.mark.skipif(not peers.are_known(), reason="this system does not say whose a connection is")
def test_another_user_of_the_machine_is_a_stranger(server: Server) -> None:
    program = (
        "import encodings.idna, http.client, os, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "for path in ('/', '/env/main', '/win_data'):\n"
        "    c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))\n"
        "    c.request('GET', path)\n"
        "    print(c.getresponse().status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(server.port)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["403"] * 3


# The page


def test_no_script_of_a_pane_runs_and_no_name_breaks_the_page(
    server: Server, watch: Callable[[str], Watched]
) -> None:
    name = 'it\'s "one" & 甲 ${x} `y`'
    attack = (
        "<p id=shown>shown</p><script>window.owned = 1</script>"
        '<img src=x onerror="window.owned = 2"><svg onload="window.owned = 3"></svg>'
        '<a id=link href="javascript:window.owned = 4">a</a><iframe srcdoc="x"></iframe>'
        '<img src="http://evil.example/x">'
    )
    server.draw(name, "pane", attack)
    watched = watch(server.url)
    page = watched.page
    page.goto(f"{server.url}/")
    page.wait_for_function("document.querySelector('#app').children.length > 0")
    page.goto(f"{server.url}/env/{name.replace('&', '%26').replace(' ', '%20')}")
    page.wait_for_selector("#shown")
    page.evaluate("document.querySelector('#link').click()")
    page.wait_for_timeout(300)
    assert page.evaluate("window.owned") is None
    assert name in page.evaluate("document.body.innerText + ENV_LIST")
    assert "evil.example" not in "".join(watched.outside)


# The mirror

ODD = [
    '{"step": 999, "perplexity": 3.0}',
    '{"step": 999, "epoch": NaN, "perplexity": 3.0}',
    '{"step": 999, "held_out_bits_per_character": 2.0}',
]
NO_ENTRIES = [
    '{"step": 999, "epoch": 9.0, "perplexity": "high"}',
    '{"step": 999, "epoch": "late", "held_out_bits_per_character": 2.0, "seconds": 1}',
    '{"step": 999, "epoch": 9.0, "perplexity": [[3]]}',
    '{"step": 999, "epoch": 9.0, "perplexity": null}',
    '{"step": 999, "epoch": 9.0, "perplexity": 1' + 400 * "0" + "}",
    '{"step": 999, "epoch": 9.0, "sample": 5}',
]
NAMES = ["back\\", "<b>bold", 'it\'s "one"', "x" * 250, "甲" * 80]


def test_an_odd_record_or_name_costs_its_own_run_and_one_line(
    tiny_run: Run, in_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Path.cwd() == in_folder
    good = [copy_run(tiny_run, name) for name in ("good", *NAMES)]
    odd = [copy_run(tiny_run, f"odd {number}") for number in range(len(ODD))]
    for run, lines in (*zip(odd, ODD, strict=True), (good[0], "\n".join(NO_ENTRIES))):
        with run.record.path.open("a", encoding="utf-8") as file:
            file.write(lines + "\n")
    checkpoints = good[0].folder.parent
    (checkpoints / "pipe").mkdir()
    os.mkfifo(checkpoints / "pipe" / "metrics.jsonl")
    with serving(checkpoints / ".visdom") as server:
        subjects = [of_run(run) for run in (*odd, *good)]
        url = f"http://127.0.0.1:{server.port}"
        thread = MirrorThread(url, checkpoints, lambda: subjects)
        thread.start()
        wait_for(lambda: server.has("main", "textgen"))
        for run in good:
            assert server.has(plain(run.name), "perplexity")
        for run in odd:
            assert not server.has(run.name, "perplexity")
            assert caplog.text.count(f"{run.name}/metrics.jsonl is odd") == 1
        compared = server.ask("/win_data", {"eid": ALL_RUNS, "win": "held-out-epochs"})
        names = {trace["name"] for trace in json.loads(compared.body)["content"]["data"]}
        assert len(names) == len(good)
        assert not any("<" in name for name in names)
        # One that is mended is drawn.
        mended = odd[0].record.path.read_text("utf-8").replace(ODD[0] + "\n", "")
        odd[0].record.path.write_text(mended, encoding="utf-8")
        wait_for(lambda: server.has(odd[0].name, "perplexity"))
        thread.close()
        assert "No Visdom" not in caplog.text + server.stop()
