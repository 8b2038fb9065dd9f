"""Which of several processes this one is, that train one network together: what torchrun tells.

It stands in the environment, under the names that torch.distributed reads, too; SLURM or a script
can set them as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from textgen.errors import UsageError

_NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class World:
    """The processes, called ranks, and this one's place among them."""

    rank: int
    """This one's number, from 0 on; the first one reads, writes and judges."""

    size: int
    """How many there are."""

    local_rank: int
    """This one's number on its machine: the GPU that it takes."""

    address: str
    """Where they meet: the first one's machine."""

    port: int
    served: bool
    """Whether torchrun keeps the meeting point; else the first rank does."""

    restarts: int
    """How often torchrun has begun anew, since ranks were lost."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "World | None":
        """Return what an environment tells; none where this process is alone.

        Raises:
            UsageError: it tells a part of it only, or what cannot be.
        """
        if not environment.keys() & {"RANK", "WORLD_SIZE"}:
            return None
        if missing := [name for name in _NEEDED if not environment.get(name)]:
            given = "RANK" if environment.get("RANK") else "WORLD_SIZE"
            raise UsageError(
                "{given} is set, so several processes are to train together, and {missing} is not: "
                "start them with torchrun, or unset {given}",
                given=given,
                missing=", ".join(missing),
            )
        size = _number(environment, "WORLD_SIZE", 1, 2**20)
        world = cls(
            rank=_number(environment, "RANK", 0, size - 1),
            size=size,
            local_rank=_number({"LOCAL_RANK": "0"} | dict(environment), "LOCAL_RANK", 0, size - 1),
            address=environment["MASTER_ADDR"],
            port=_number(environment, "MASTER_PORT", 1, 65_535),
            served=environment.get("TORCHELASTIC_USE_AGENT_STORE") == "True",
            restarts=int(environment.get("TORCHELASTIC_RESTART_COUNT", "0")),
        )
        return None if world.size == 1 else world


def _number(environment: Mapping[str, str], name: str, least: int, most: int) -> int:
    value = environment[name]
    if not value.isdecimal() or not least <= int(value) <= most:
        raise UsageError(
            "{name} is {value}: it must be a whole number between {least} and {most}",
            name=name,
            value=value,
            least=least,
            most=most,
        )
    return int(value)
