"""Where ranks meet before they train together, and how long they wait for each other."""

import socket
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import torch

from textgen.errors import TextgenError, UsageError, os_reason
from textgen.language import Message
from textgen.training.world import World

if TYPE_CHECKING:
    from torch.distributed import (  # type: ignore[attr-defined] # not in its stubs
        PrefixStore,
        TCPStore,
    )

MEETING_SECONDS = 60.0
"""How long who has come waits for the others."""


def meeting_point(world: World) -> "TCPStore":
    """Return the store in which the ranks find each other.

    Raises:
        TextgenError: its port is taken, or the first rank does not come.
    """
    from torch.distributed import TCPStore  # type: ignore[attr-defined] # not in its stubs

    serves = world.rank == 0 and not world.served
    if not serves:
        _knock(world)
    try:
        return TCPStore(
            world.address,
            world.port,
            is_master=serves,
            timeout=timedelta(seconds=MEETING_SECONDS),
            wait_for_workers=False,
        )
    except RuntimeError as error:
        raise TextgenError(
            "port {port} at {address} cannot be had for the ranks to meet: {reason}; choose "
            "another one with --master-port, or MASTER_PORT",
            port=world.port,
            address=world.address,
            reason=_reason(error),
        ) from None


def _knock(world: World) -> None:
    """Wait until the meeting point is open; torch itself would fill the screen meanwhile.

    Raises:
        TextgenError: it does not open.
    """
    deadline = time.monotonic() + MEETING_SECONDS
    while True:
        try:
            socket.create_connection((world.address, world.port), timeout=5.0).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise TextgenError(
                    "waited {seconds:.0f} s for the other ranks: the first one is not to be "
                    "reached at {address}:{port} ({reason})",
                    seconds=MEETING_SECONDS,
                    address=world.address,
                    port=world.port,
                    reason=os_reason(error),
                ) from None
            time.sleep(0.2)
        else:
            return


def _reason(error: RuntimeError) -> Message:
    taken = "EADDRINUSE" in str(error) or "in use" in str(error)
    return Message("Address already in use") if taken else Message(str(error).split("\n")[0][:200])


def take_gpu(world: World) -> None:
    """Compute on the GPU of this rank's number on its machine.

    Raises:
        UsageError: there is none.
    """
    count = torch.cuda.device_count()
    if world.local_rank >= count:
        raise UsageError(
            "rank {rank} has no GPU of its own: there are {count} here; start as many processes, "
            "or set CUDA_VISIBLE_DEVICES to nothing to train on processors",
            rank=world.rank,
            count=count,
        )
    torch.cuda.set_device(world.local_rank)


def wait_for_all(store: "PrefixStore", keys: Sequence[str]) -> list[int]:
    """Wait until each rank has set its key, or too long; return which ones have."""
    deadline = time.monotonic() + MEETING_SECONDS
    while not store.check(list(keys)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [rank for rank, key in enumerate(keys) if store.check([key])]
