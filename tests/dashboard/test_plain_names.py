"""No name leads out of the folder or into the page, whichever way it comes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tests.dashboard.attacked import BAD_NAMES, Server


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
