"""One environment that is broken costs no other."""

import json
from pathlib import Path

import pytest

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tests.dashboard.attacked import serving


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
