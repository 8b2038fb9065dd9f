"""The files of a run: one is damaged, and then somebody does something with the run."""

import json
import random
import shutil
import struct
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fuzzing.command import WrongError, outcome, require_escaped
from fuzzing.kind import World
from fuzzing.mutations import (
    MARK,
    either,
    json_bytes,
    mutated_bytes,
    mutated_json,
    mutated_lines,
    mutated_text,
    mutated_values,
)
from textgen.cli import commands
from textgen.cli.results import print_result
from textgen.config import GenerationConfig, Settings
from textgen.runs.finding import find_run
from textgen.training.start import resume

_HEADER = struct.Struct("<Q")

_TYPES = ("F32", "F16", "BF16", "F64", "I64", "I32", "U8", "BOOL", "F8_E4M3", "X", "")

_SHAPES: tuple[list[Any], ...] = (
    [],
    [0],
    [1],
    [2**31, 2**31],
    [2**62],
    [-1],
    [1] * 100,
    [10**12],
    [3, 3],
    ["1"],
    [1.5],
)

_FLOATS = (float("nan"), float("inf"), float("-inf"), 3e38, -3e38, 1e-40, 0.0)

Change = Callable[[bytes, random.Random], bytes]


def mutated_tensors(data: bytes, draw: random.Random) -> bytes:
    """Return a safetensors file whose header, metadata or numbers were changed; or its bytes."""
    (length,) = _HEADER.unpack(data[:8])
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    body = bytearray(data[8 + length :])
    names = [name for name in header if name != "__metadata__"]
    name = draw.choice(names)
    told = length
    match draw.randrange(8):
        case 0:
            return mutated_bytes(data, draw)
        case 1:
            return data[: draw.randrange(len(data))]
        case 2:
            header[name]["shape"] = draw.choice(_SHAPES)
        case 3:
            header[name]["dtype"] = draw.choice(_TYPES)
        case 4 if "__metadata__" in header:
            metadata = header["__metadata__"]["textgen"].encode()
            changed = mutated_json(metadata, draw).decode("utf-8", "replace")
            header["__metadata__"]["textgen"] = changed
        case 5:
            for _ in range(draw.choice((1, 1, 100))):
                place = draw.randrange(len(body) // 4) * 4
                body[place : place + 4] = struct.pack("<f", draw.choice(_FLOATS))
        case 6:
            body = bytearray(mutated_bytes(bytes(body), draw))
        case _:
            header = mutated_values(header, draw)
    text = json_bytes(header, draw)
    told = len(text)
    if draw.random() < 0.05:
        told = draw.choice((0, 1, told - 1, told + 1, 2**40, 2**64 - 1))
    return _HEADER.pack(told) + text + bytes(body)


def mutated_words(data: bytes, draw: random.Random) -> bytes:
    """Return a text that was changed in its characters."""
    return mutated_text(data.decode(), draw).encode("utf-8", "surrogatepass")


CHANGES: dict[str, Change] = {
    "config.json": mutated_json,
    "vocab.json": mutated_json,
    "metrics.jsonl": mutated_lines,
    "best.safetensors": mutated_tensors,
    "last.safetensors": mutated_tensors,
    "counts.safetensors": mutated_tensors,
    "text.txt": either(mutated_bytes, mutated_words),
    "earlier.txt": either(mutated_bytes, mutated_words),
}
"""How each file is damaged."""

_ROOT = Path()
_SHORT = GenerationConfig(length=5, seed=1)


def _generate(**others: Any) -> None:  # noqa: ANN401 - any of the command's
    commands.generate("story", prefix="庞", generation=_SHORT, checkpoints=_ROOT, **others)


def _resume() -> None:
    run = find_run(_ROOT, "story")
    values = run.settings.with_length().flat() | {"epochs": 0.03, "minutes": 1.0}
    print_result(resume(run, Settings.of(**values)))


_page = partial(commands.evaluate, "story", Path("page.txt"), checkpoints=_ROOT)

_COMMANDS: tuple[tuple[int, str, Sequence[str] | Callable[[], object]], ...] = (
    (12, "generate", _generate),
    (4, "generate", partial(_generate, as_json=True)),
    (4, "generate", partial(_generate, check_copying=True)),
    (6, "report", partial(commands.report, "story", checkpoints=_ROOT)),
    (1, "evaluate", _page),
    (1, "evaluate", partial(commands.evaluate, "story", checkpoints=_ROOT, as_json=True)),
    (1, "evaluate", partial(_page, as_json=True, heatmap=Path("story/heat.html"))),
    (1, "resume", _resume),
    (1, "resume", ("train", "--resume", "story", "--epochs", "0.03", "--checkpoints", ".")),
)
"""How often somebody does what."""

_USES: dict[str, tuple[str, ...]] = {
    "metrics.jsonl": ("report", "resume"),
    "earlier.txt": ("evaluate", "resume"),
}
"""Files that only some commands read."""


def damage(name: str, draw: random.Random, world: World) -> str:
    """Damage a file of a run, and do something with the run."""
    run = world.here / "story"
    shutil.copytree(world.sound / "story", run)
    shutil.copytree(world.sound / "story", world.here / "beside")
    shutil.copy(world.sound / "page.txt", world.here)
    data = CHANGES[name]((run / name).read_bytes(), draw)
    (run / name).write_bytes(data)
    if name == "last.safetensors" and draw.random() < 0.5:
        (run / "best.safetensors").unlink()
    before = _all_but(run, world.here)
    known = [one for one in _COMMANDS if one[1] in _USES.get(name, (one[1],))]
    ((_, _, command),) = draw.choices(known, [often for often, _, _ in known])
    result = outcome(command, terminal=draw.random() < 0.5)
    for page in ("report.html", "heat.html"):
        require_escaped(run / page, MARK)
    if _all_but(run, world.here) != before:
        raise WrongError("files beside the run have changed")
    return result


def _all_but(run: Path, folder: Path) -> dict[Path, int]:
    """Return the files in a folder but for a run's, and when each was written."""
    return {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if run not in (path, *path.parents)
    }


def damaging(name: str) -> Callable[[random.Random, World], str]:
    """Return what damages one file."""
    return partial(damage, name)
