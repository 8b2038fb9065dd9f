"""All kinds of mutations."""

import random
from functools import cache

from fuzzing.beginnings import begin
from fuzzing.commands import command_line
from fuzzing.kind import Kind
from fuzzing.monitor import message, request
from fuzzing.reading import read
from fuzzing.runs import damaging
from fuzzing.settings import settings

KINDS = (
    Kind("corpus files", 465, read),
    Kind("config.json", 90, damaging("config.json")),
    Kind("vocab.json", 50, damaging("vocab.json")),
    Kind("metrics.jsonl", 70, damaging("metrics.jsonl")),
    Kind("best.safetensors", 60, damaging("best.safetensors")),
    Kind("last.safetensors", 50, damaging("last.safetensors")),
    Kind("counts.safetensors", 30, damaging("counts.safetensors")),
    Kind("text.txt", 30, damaging("text.txt")),
    Kind("earlier.txt", 10, damaging("earlier.txt")),
    Kind("TOML", 25, settings),
    Kind("beginnings", 50, begin),
    Kind("command lines", 20, command_line, alone=True),
    Kind("HTTP", 30, request),
    Kind("websocket", 20, message),
)


@cache
def drawn(seed: str, number: int, only: tuple[str, ...]) -> tuple[Kind, random.Random]:
    """Return of which kind a mutation is, and what all of it is drawn from."""
    draw = random.Random(f"{seed} {number}")  # noqa: S311 - nothing secret
    kinds = [kind for kind in KINDS if not only or kind.name in only]
    (kind,) = draw.choices(kinds, [kind.share for kind in kinds])
    return kind, draw
