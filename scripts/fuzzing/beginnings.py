"""Beginnings: from the command line, from a file, from a pipe, in any encoding or in none."""

import random

from fuzzing.command import WrongError, outcome
from fuzzing.kind import World
from fuzzing.mutations import TEXTS, mutated_bytes, mutated_text

_BEGINNINGS = ("庞师傅说", "第一回\n却说", "“好！”\n\n", "說，ABC", "a\nb\nc\n", "老周" * 500)

_ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16", "utf-16-le", "utf-8-sig", "hz")

_NO_ENCODINGS = ("x", "a b", "base64", "idna", "rot13", "")


def begin(draw: random.Random, world: World) -> str:
    """Write on from a beginning."""
    text = draw.choice((*_BEGINNINGS, *TEXTS))
    if draw.random() < 0.7:
        text = mutated_text(text, draw)
    data = text.encode(draw.choice(_ENCODINGS), draw.choice(("replace", "ignore")))
    if draw.random() < 0.5:
        data = mutated_bytes(data, draw)
    (world.here / "beginning.txt").write_bytes(data)
    typed = (
        text.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    )
    how = draw.choice(
        (
            ("--prefix", typed),
            ("--prefix", "-"),
            ("--prefix-file", "beginning.txt"),
            ("--prefix-file", "-"),
            ("--prefixes", "beginning.txt"),
        )
    )
    more: list[str] = []
    if draw.random() < 0.3:
        more += ["--map-script"]
    if draw.random() < 0.3:
        more += [
            "--encoding",
            draw.choice((*_ENCODINGS, *_NO_ENCODINGS)),
        ]
    if draw.random() < 0.1:
        more += ["--stop", draw.choice(TEXTS)]
    form = draw.choice((("--json",), ("--format", "markdown"), (), (), ("--out", "new.txt")))
    command = ["generate", "story", *how, *more, *form, "--length", "5", "--seed", "1"]
    result = outcome(
        [*command, "--checkpoints", str(world.sound)],
        stdin=data,
        terminal="--json" not in form,
    )
    if sorted(path.name for path in world.here.iterdir()) not in (
        ["beginning.txt"],
        ["beginning.txt", "new.txt"],
    ):
        raise WrongError("there are other files")
    return result
