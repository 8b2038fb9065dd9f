"""Command lines: any command, with any flags, and values that are seldom the right ones."""

import random
import shutil
from functools import cache
from pathlib import Path
from typing import Any, get_args

from cyclopts import App

from fuzzing.command import outcome
from fuzzing.kind import World
from fuzzing.mutations import TEXTS, mutated_text
from textgen.cli.commands import app

_COMMANDS = (
    ("train",),
    ("train", "--resume"),
    ("generate",),
    ("evaluate",),
    ("report",),
    ("write",),
    ("sanity",),
    ("corpus", "show"),
    ("corpus", "fetch"),
    ("serve",),
    ("monitor",),
    ("demo",),
    (),
)

_WHOLE = ("0", "1", "2", "3", "16", "-1", "1.5", "1_0", "１", "1000000000", str(2**62), str(2**63))
_REAL = ("0", "0.1", "0.5", "1", "1.5", "-1", "nan", "inf", "-inf", "1e400", "1e-320", "0x1")
_WORDS = ("story", "page.txt", ".", "my.toml", "new.txt", "missing/x", "-", "--", "", "cpu", "word")
_URLS = ("none", "x", "http://127.0.0.1:1", "http://[::1", "http://x:99999", "ftp://a\x1b[31m")
_SMALL = {"--length": "5", "--minutes": "0.01", "--epochs": "0.1", "--max-tokens": "900"}
"""Flags that are given as well where they were not drawn, so that it does not take minutes."""


@cache
def _flags(command: tuple[str, ...]) -> list[tuple[str, Any]]:
    """Return the flags of a command, and of which type each is."""
    found: App = app
    for name in command:
        found = found[name] if not name.startswith("-") else found
    if not command:
        return []
    arguments = found.assemble_argument_collection()
    return [
        (name, argument.hint)
        for argument in arguments
        for name in argument.names
        if name.startswith("--")
    ]


def _value(hint: Any, draw: random.Random) -> str:  # noqa: ANN401 - a type, or what typing makes of it
    kinds = {hint, *get_args(hint)}
    fitting: tuple[str, ...] = _WORDS
    if int in kinds:
        fitting = _WHOLE
    elif float in kinds:
        fitting = _REAL
    elif words := [str(word) for one in (hint, *get_args(hint)) for word in get_args(one)]:
        fitting = tuple(words)
    (pool,) = draw.choices((fitting, _WORDS, _WHOLE, _REAL, TEXTS, _URLS), (24, 1, 1, 1, 3, 1))
    value = draw.choice(pool)
    if draw.random() < 0.05:
        value = mutated_text(value, draw)
    return value.replace("..", ".").lstrip("/") if Path in kinds else value


def command_line(draw: random.Random, world: World) -> str:
    """Run a command line; Ctrl-C ends it if nothing else does."""
    shutil.copytree(world.sound / "story", world.here / "checkpoints" / "story")
    shutil.copy(world.sound / "story.txt", world.here / "page.txt")
    (world.here / "my.toml").write_text("hidden_size = 3\n", "utf-8")
    command = draw.choice(_COMMANDS)
    flags = _flags(command)
    typed = [draw.choice((*_WORDS, *TEXTS)) for _ in range(draw.choice((0, 0, 1, 1, 2)))]
    if command and command[0] in ("generate", "evaluate", "report", "train", "corpus"):
        typed = (
            typed if draw.random() < 0.3 else ["story" if command[0] != "corpus" else "page.txt"]
        )
    given = [draw.choice(flags) for _ in range(draw.choice((0, 1, 2, 3, 6)))] if flags else []
    if draw.random() < 0.05:
        given.append((f"--{draw.choice(('x', 'no-x', 'Help', '长', ''))}", str))
    for name, hint in given:
        is_switch = hint is bool or (name.startswith("--no-"))
        typed += [name] if is_switch and draw.random() < 0.9 else [name, _value(hint, draw)]
    names = {name for name, _ in flags}
    for name, value in _SMALL.items():
        if name in names and name not in typed:
            typed += [name, value]
    if "--no-visdom" in names and "--visdom" not in typed and "--no-visdom" not in typed:
        typed += ["--no-visdom"]
    if command[:1] in (("serve",), ("monitor",)) and "--port" not in typed:
        typed += ["--port", "0"]
    line = [word.replace("\0", "") for word in (*command, *typed)]
    line = [
        word.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape") for word in line
    ]
    (world.here / "line.txt").write_text(repr(line), "utf-8")  # where it can be looked at
    return outcome(line, stdin=b"\xff\n/help\nx\n", terminal="--json" not in line, interrupt=0.4)
