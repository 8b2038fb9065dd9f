"""A kind of mutation."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class World:
    """What a mutation may use.

    Args:
        sound: a folder with what is sound: a run named story, its text.
        here: a folder of its own, empty, in which it stands; it may write there.
        monitor: the address of a running monitor, or none.
    """

    sound: Path
    here: Path
    monitor: tuple[str, int] | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of mutation.

    Args:
        name: what it is called in the table.
        share: how many of a thousand mutations are of it.
        attempt: makes one and tries it; returns what was changed, and whether that worked or was
            refused. Any error that it raises is a failure.
        alone: whether it needs a process of its own, since it leaves things behind.
    """

    name: str
    share: int
    attempt: Callable[[random.Random, World], str]
    alone: bool = False
