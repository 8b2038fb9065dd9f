"""TOML files with settings: each trains, or is refused in one line."""

import random
from dataclasses import fields

from fuzzing.command import outcome
from fuzzing.kind import World
from fuzzing.mutations import TEXTS, mutated_bytes
from textgen.config import CorpusConfig, ModelConfig, ReadingConfig, TrainingConfig

_NAMES = [
    field.name
    for part in (CorpusConfig, ModelConfig, TrainingConfig, ReadingConfig)
    for field in fields(part)
]

_VALUES = (
    *("0", "1", "2", "3", "-1", "16", "0.1", "0.5", "1.0", "1e9", "1e-9", "true", "false"),
    *(
        "nan",
        "inf",
        "-inf",
        "9" * 30,
        "9" * 5000,
        "1e999999",
        "0x10",
        "1_000",
        "4611686018427387904",
    ),
    *('""', '"auto"', '"nn"', '"gru"', '"sgd"', '"word"', '"cpu"', '"none"', '"庞"', '"a\\u0000b"'),
    *('"\\u001b[31m"', '"\x1b[31m"', '"\\ud800"', "'''x\ny'''", '"unfinished'),
    *("[]", "[1]", '["庞"]', '[["庞"]]', "[" * 1000 + "]" * 1000, "[" * 100_000),
    *("{}", "{a = 1}", "{a = " * 1000 + "1" + "}" * 1000, "2026-11-26", "07:32:00", "", "=", "#"),
)

_LINES = ("[table]", "[[tables]]", "[a.b.c]", "a.b = 1", "\0", "\x1b[2J = 1", "no-visdom = true")

_BOUNDS = ("--max-tokens", "900", "--epochs", "0.1", "--no-visdom", "--device", "cpu")


def settings(draw: random.Random, world: World) -> str:
    """Train with a file of settings for a moment."""
    lines = []
    for _ in range(draw.choice((1, 1, 2, 5))):
        name = draw.choice(_NAMES)
        if draw.random() < 0.1:
            name = draw.choice((name.replace("_", "-"), f"no-{name}", f'"{name}"', "visdom", "x"))
        lines.append(f"{name} = {draw.choice(_VALUES)}")
    if draw.random() < 0.2:
        lines.insert(draw.randrange(len(lines) + 1), draw.choice((*_LINES, *TEXTS)))
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    if draw.random() < 0.2:
        data = mutated_bytes(data, draw)
    (world.here / "my.toml").write_bytes(data)
    return outcome(
        ["train", str(world.sound / "story.txt"), "--config", "my.toml", *_BOUNDS],
        terminal=True,
        interrupt=0.5,
    )
