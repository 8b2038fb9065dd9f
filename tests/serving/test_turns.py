"""Turns, and that nobody is written for who has left: in this process, where it can be seen."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.processes import wait_for
from tests.serving.conftest import SECONDS

pytest.importorskip("uvicorn", reason="uvicorn is an extra: pip install '.[serve]'")

from textgen.serving import server, turns
from textgen.serving.app import make_app
from textgen.serving.models import Models
from textgen.serving.refusal import Refused
from textgen.serving.turns import Turns


def steps(name: str, count: int, done: list[str]) -> Iterator[str]:
    for number in range(count):
        done.append(name)
        yield f"{name}{number}"


async def take_all(turns: Turns, work: Iterator[str]) -> list[str]:
    return [step async for step in turns.take(work)]


def test_each_has_its_turn() -> None:
    done: list[str] = []

    async def run() -> list[list[str]]:
        turns = Turns()
        work = [steps(name, count, done) for name, count in (("a", 50), ("b", 3), ("c", 50))]
        found = await asyncio.gather(*(take_all(turns, one) for one in work))
        assert turns.taking == 0
        return found

    found = asyncio.run(run())
    assert found[0] == [f"a{number}" for number in range(50)]
    assert [len(one) for one in found] == [50, 3, 50]
    assert "".join(done[:9]) == "abcabcabc"
    assert "".join(done[9:]) == "ac" * 47


def test_who_leaves_is_not_written_for_any_more() -> None:
    done: list[str] = []

    async def run() -> None:
        turns = Turns()
        async with aclosing(turns.take(steps("a", 50, done))) as taken:
            assert await anext(taken) == "a0"
        assert turns.taking == 0
        task = asyncio.create_task(take_all(turns, steps("b", 10**9, done)))
        while "b" not in done:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert turns.taking == 0
        assert await take_all(turns, steps("c", 2, done)) == ["c0", "c1"]

    asyncio.run(run())
    assert done.count("a") == 1
    assert done[-2:] == ["c", "c"]


def test_too_many_are_refused_and_a_stop_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST", 2)

    async def run() -> None:
        turns = Turns()
        endless = [asyncio.create_task(take_all(turns, steps("a", 10**9, []))) for _ in range(2)]
        while turns.taking < 2:
            await asyncio.sleep(0)
        with pytest.raises(Refused, match="2 requests are being written for already") as refused:
            await take_all(turns, steps("b", 1, []))
        assert refused.value.status == 429
        turns.stop()
        for task in endless:
            with pytest.raises(Refused, match="the server stops"):
                await task
        assert turns.taking == 0

    asyncio.run(run())


def test_what_goes_wrong_in_a_turn_is_raised_here() -> None:
    def broken() -> Iterator[str]:
        yield "one"
        raise ValueError("two")

    async def run() -> None:
        turns = Turns()
        with pytest.raises(ValueError, match="two"):
            await take_all(turns, broken())
        assert turns.taking == 0

    asyncio.run(run())


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_stops_its_text(runs: Path, stream: bool) -> None:
    turns = Turns()
    app = make_app(Models(runs, "tiny"), turns, ("127.0.0.1",))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        running = server._Server(app, turns)
        thread = threading.Thread(target=lambda: asyncio.run(running.serve([listener])))
        thread.start()
        try:
            body = {"prompt": "老", "n": 64, "max_tokens": 10_000, "stream": stream}
            data = json.dumps(body).encode()
            head = (
                "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
                connection.sendall(head.encode() + data)
                if stream:
                    assert connection.recv(10).startswith(b"HTTP/1.1")
                wait_for(lambda: turns.taking == 1)
            wait_for(lambda: turns.taking == 0)
        finally:
            running.should_exit = True
            turns.stop()
            thread.join(SECONDS)
