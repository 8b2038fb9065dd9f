"""Several processes that train one network together: how they meet, and what they tell each other.

The first rank reads the text, makes the run's folder, decides, judges and writes. The others have
no file of it: they get the text's ids from the first one, and with every stretch of steps also the
settings, the weights and what the optimiser remembers. So nothing can be another thing to one than
to another, and no folder need be shared.
"""

import hashlib
import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from textgen.errors import TextgenError, UsageError
from textgen.language import Message
from textgen.text.tokens import Tokens
from textgen.training import meeting
from textgen.training.neighbours import Door, Neighbours, here, knock
from textgen.training.world import World
from textgen.version import __version__

_SILENCE = timedelta(days=7)
"""How long a rank may say nothing: the first one judges and saves meanwhile. One that has died is
noticed at once."""

_RUN = "run"


class LostError(TextgenError):
    """Another rank has died, or cannot be reached any more."""


class Ranks:
    """The processes that train together, as one of them sees them.

    Args:
        world: which of them this one is.
        arguments: the words of its command line: all have to have the same ones.

    Raises:
        TextgenError: they do not come, or do not fit together.
    """

    def __init__(self, world: World, arguments: Sequence[str]) -> None:
        self.rank, self.size = world.rank, world.size
        self.is_first = world.rank == 0
        self.restarts = world.restarts
        self.is_lost = False
        self.text: Tokens | None = None
        """What the other ranks have been sent of it."""

        self.neighbours: Neighbours | None = None
        """The same ranks, where all are on one machine, and what they train as well."""

        self._folder: Path | None = None
        self.end_leg: Callable[[], None] = lambda: None
        """Ends the steps that are being taken together."""

        if not dist.is_available():
            raise UsageError(
                "this torch is built without torch.distributed: it can only train in one process"
            )
        from torch.distributed import PrefixStore  # type: ignore[attr-defined] # not in its stubs

        self._base = meeting.meeting_point(world)
        self._store = PrefixStore(f"textgen-{world.restarts}", self._base)
        on_gpu = torch.cuda.is_available()
        are_near = self._meet(
            {
                "textgen": __version__,
                "torch": torch.__version__,
                "GPU": str(on_gpu),
                "command line": hashlib.sha256("\0".join(arguments).encode()).hexdigest()[:8],
            }
        )
        if on_gpu:
            meeting.take_gpu(world)
        with self.reaching():
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if on_gpu else "gloo",
                store=PrefixStore("torch", self._store),
                rank=self.rank,
                world_size=self.size,
                timeout=_SILENCE,
            )
        if are_near and not on_gpu:
            self.neighbours = self._meet_neighbours()

    def _meet(self, mine: dict[str, str]) -> bool:
        """Wait until all are there, and compare what they are made of.

        Returns:
            Whether all are on one machine, and can be neighbours.

        Raises:
            TextgenError: some do not come, or one is made of something else than the first one.
        """
        keys = [f"here-{rank}" for rank in range(self.size)]
        with self.reaching():
            self._store.set(keys[self.rank], json.dumps({**mine, "place": here()}))
            come = meeting.wait_for_all(self._store, keys)
            if len(come) == self.size:
                found = [json.loads(self._store.get(key)) for key in keys]
        if len(come) < self.size:
            missing = [str(rank) for rank in range(self.size) if rank not in come]
            self._tell_once(
                TextgenError(
                    "waited {seconds:.0f} s for the other ranks: of {size}, {missing} did not "
                    "come; start all of them within that time",
                    seconds=meeting.MEETING_SECONDS,
                    size=self.size,
                    missing=", ".join(missing[:10]),
                )
            )
        for rank, theirs in enumerate(found):
            for what in mine:
                if theirs.get(what) != found[0].get(what):
                    self._tell_once(_other(rank, what, theirs.get(what), found[0].get(what)))
        places = {theirs.get("place") for theirs in found}
        return len(places) == 1 and None not in places

    def _meet_neighbours(self) -> Neighbours:
        """Return the ranks as neighbours: all of them are on this machine."""
        with self.reaching():
            if not self.is_first:
                return Neighbours([knock(self.hear()["door"])], is_first=False)
            with closing(Door(self.size - 1)) as door:
                self.say(door=door.name)
                return Neighbours(door.let_in(), is_first=True)

    def add_up(self, values: Tensor) -> None:
        """Put the sum of all ranks' values into each one's.

        Raises:
            LostError: another rank is gone.
        """
        with self.reaching():
            dist.all_reduce(values)

    def spread(self, values: Tensor) -> None:
        """Put the first rank's values into each one's.

        Raises:
            LostError: another rank is gone.
        """
        with self.reaching():
            dist.broadcast(values, 0)

    def say(self, **order: Any) -> None:  # noqa: ANN401 - what JSON has a word for
        """Tell all others what comes next."""
        data = torch.frombuffer(bytearray(json.dumps(order).encode()), dtype=torch.uint8)
        self.spread(torch.tensor([len(data)]))
        self.spread(data)

    def hear(self) -> dict[str, Any]:
        """Return what the first rank says that comes next."""
        length = torch.zeros(1, dtype=torch.int64)
        self.spread(length)
        data = torch.zeros(int(length), dtype=torch.uint8)
        self.spread(data)
        order: dict[str, Any] = json.loads(bytes(data.tolist()))
        return order

    def spread_all(self, values: Iterable[Tensor]) -> None:
        """Put the first rank's values into each one's, many tensors in one message."""
        values = list(values)
        device = values[0].device
        flat = torch.cat([value.detach().flatten().to(device, torch.float32) for value in values])
        self.spread(flat)
        if not self.is_first:
            parts = flat.split([value.numel() for value in values])
            with torch.no_grad():
                for value, part in zip(values, parts, strict=True):
                    value.copy_(part.view(value.shape))

    def require_rows(self, rows: int) -> None:
        """Check that the ranks can share a batch.

        Raises:
            UsageError: they would not have equally many rows.
        """
        if rows % self.size:
            raise UsageError(
                "--batch-size is {rows}, which {size} ranks cannot share: take {more}",
                rows=rows,
                size=self.size,
                more=-(-rows // self.size) * self.size,
            )

    def note(self, folder: Path) -> None:
        """Keep the run's folder where it is found when torchrun begins anew."""
        self._folder = folder
        with self.reaching():
            self._base.set(_RUN, str(folder.resolve()))

    def noted(self) -> Path | None:
        """Return the run's folder that ranks before a restart have noted, if they have."""
        with self.reaching():
            if not self.restarts or not self._base.check([_RUN]):
                return None
            return Path(self._base.get(_RUN).decode())

    def close(self) -> None:
        """Part from the others."""
        if self.neighbours is not None:
            self.neighbours.close()
        if dist.is_initialized():
            dist.destroy_process_group()

    @contextmanager
    def reaching(self) -> Iterator[None]:
        """Say in one line, of all ranks together, that another one cannot be reached.

        Raises:
            LostError: it cannot.
        """
        try:
            yield
        except (OSError, RuntimeError):
            self.is_lost = True
            self._tell_once(
                LostError(
                    "another rank has died, or cannot be reached any more; what was saved last "
                    "goes on with: textgen train --resume {name}",
                    name="" if self._folder is None else shlex.quote(self._folder.name),
                )
            )

    def _tell_once(self, error: TextgenError) -> None:
        """Raise an error in one rank, and end in silence in the others that come to the same.

        Raises:
            TextgenError: this is the first to tell.
            SystemExit: another one has told.
        """
        try:
            tells = self._store.add("told", 1) == 1
        except RuntimeError:  # whoever kept the meeting point is gone
            tells = True
        if tells:
            raise error from None
        raise SystemExit(error.exit_status)


def _other(rank: int, what: str, theirs: str | None, first: str | None) -> TextgenError:
    return UsageError(
        "rank {rank} has another {what} than the first rank ({theirs}, and that one {first}): all "
        "ranks need the same program and the same command",
        rank=rank,
        what=Message(what),
        theirs=theirs,
        first=first,
    )


_COMPARED = Message("textgen"), Message("torch"), Message("GPU"), Message("command line")
"""What is compared, which the catalogues have."""

_here: ContextVar[Ranks | None] = ContextVar("ranks", default=None)


def ranks_here() -> Ranks | None:
    """Return the ranks that this process trains with; none where it is alone."""
    return _here.get()


@contextmanager
def joined(world: World, arguments: Sequence[str]) -> Iterator[Ranks]:
    """Meet the other ranks, train with them while inside, and part from them.

    Raises:
        TextgenError: they do not come, or do not fit together.
    """
    ranks = Ranks(world, arguments)
    token = _here.set(ranks)
    try:
        yield ranks
    finally:
        _here.reset(token)
        ranks.close()
