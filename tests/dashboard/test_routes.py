"""What the page and programs need is answered, and nothing else; what is no message is told so."""

import json

import pytest

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tests.dashboard.attacked import Server


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
