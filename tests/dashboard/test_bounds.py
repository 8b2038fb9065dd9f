"""Nobody can fill the server's memory, with windows, environments or pages that do not read."""

import socket
from contextlib import suppress

import pytest

from tests.processes import wait_for
from textgen.dashboard.messages import RefusedError
from textgen.dashboard.room import Room

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tornado.httpclient import HTTPClientError

from tests.dashboard.attacked import SECONDS, Server


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
