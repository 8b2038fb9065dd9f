"""The house: which room may import which. The table stands in CONTRIBUTING.md, too."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

GROUND = (
    "language",
    "errors",
    "config",
    "files",
    "names",
    "interrupts",
    "addresses",
    "bars",
    "processes",
    "version",
)
"""Each may import those before it."""

MAY_IMPORT = {
    "text": set(),
    "reading": {"text"},
    "model": set(),
    "counts": {"text"},
    "runs": {"text", "model", "counts"},
    "writing": {"text", "counts", "runs"},
    "serving": {"text", "runs", "writing"},
    "evaluation": {"text", "reading", "model", "counts", "runs", "writing"},
    "training": {"text", "reading", "model", "counts", "runs", "writing", "evaluation"},
    "plots": {"text", "runs", "evaluation"},
    "dashboard": {"plots", "runs"},
    "sanity": {"text.batches", "model", "runs", "training.loop", "training.meter"},
    "cli": {
        *("text", "reading", "model", "counts", "runs", "writing", "evaluation"),
        *("serving", "training", "plots", "dashboard", "sanity"),
    },
}
"""Rooms, from the bottom up, and what each may import besides the ground and itself."""

PACKAGE = ROOT / "textgen"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def imported(path: Path) -> Iterator[str]:
    """Yield the modules of textgen that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            # from textgen.room import module, or from textgen.room.module import name
            names = [
                n if n.removeprefix("textgen.") in MODULES else str(node.module) for n in whole
            ]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "textgen":
                yield name.removeprefix("textgen").removeprefix(".")


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("__")])
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    room = module.split(".", maxsplit=1)[0]
    for name in imported(MODULES[module]):
        if name in GROUND:
            below = GROUND[: GROUND.index(module)] if module in GROUND else GROUND
            assert name in below, f"{module} is ground above {name}"
        else:
            assert module not in GROUND, f"{module} is ground, and {name} stands on it"
            allowed = {room} | MAY_IMPORT[room]
            assert {name, name.split(".")[0]} & allowed, f"{module} may not import {name}"


def test_the_rooms_are_these_and_go_upwards() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(MAY_IMPORT)
    below: set[str] = set()
    for room, allowed in MAY_IMPORT.items():
        assert {name.split(".")[0] for name in allowed} <= below
        below.add(room)
        assert (PACKAGE / room / "__init__.py").read_bytes() == b""
        assert (ROOT / "tests" / room).is_dir()


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CONTRIBUTING.zh-CN.md"])
def test_the_table_for_readers_is_this_one(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", text, re.MULTILINE)
    assert list(MAY_IMPORT) == [room for room, _ in rows]
    assert {room: set(re.findall("`(.+?)`", others)) for room, others in rows} == MAY_IMPORT
    ground = re.findall("`(.+?)`", text[text.index("`language`") :])
    assert tuple(ground[: len(GROUND)]) == GROUND


def test_no_circles() -> None:
    """Nor between the files of a room."""
    arrows = {
        name: {other for other in imported(path) if other in MODULES and other != name}
        for name, path in MODULES.items()
    }
    while arrows:
        free = [name for name, others in arrows.items() if not others]
        assert free, f"these import each other: {', '.join(arrows)}"
        arrows = {name: others - set(free) for name, others in arrows.items() if name not in free}
