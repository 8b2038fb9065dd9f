"""What the other ranks do: they take the first one's steps with it, until it is done."""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from textgen.config import Settings
from textgen.errors import TextgenError
from textgen.interrupts import handling
from textgen.model.build import build_model
from textgen.model.device import choose_device
from textgen.runs.progress import Position
from textgen.text.batches import POLICIES
from textgen.text.store import Store
from textgen.text.tokens import Tokens
from textgen.training.leading import PIECE
from textgen.training.leg import Leg, OverError
from textgen.training.loop import make_optimizer, train_steps
from textgen.training.ranks import Ranks
from textgen.training.recovery import NotFiniteError


def follow(ranks: Ranks) -> None:
    """Do what the first rank says, until it says that all is done.

    Who asks to stop is heard by the first rank, which saves first; so signals are not heard here.

    Raises:
        LostError: another rank is gone.
    """
    logging.getLogger("textgen").setLevel(logging.ERROR)  # the first rank says the same
    text: Tokens = np.empty(0, np.int32)
    with handling(lambda *_: None):
        while (order := ranks.hear())["do"] != "end":
            if order["do"] == "read":
                text = np.empty(order["count"], np.int32)
                for piece in torch.from_numpy(text).split(PIECE):
                    ranks.spread(piece)
            elif order["do"] == "open":
                text = _stored(Path(order["store"]), order["sha256"])
            else:
                _take_steps(ranks, text, order)


def _stored(folder: Path, sha256: str) -> Tokens:
    """Return the ids of a store as this rank finds it, where the first one has it.

    Raises:
        TextgenError: there is none, or another one.
    """
    store = Store(folder)
    if store.sha256 != sha256:
        raise TextgenError(
            "{path} is another store here than the first rank has: copy that one here", path=folder
        )
    return store.training


def _take_steps(ranks: Ranks, text: Tokens, order: dict[str, Any]) -> None:
    """Take steps until the first rank takes no more of them; see ``leading.together``."""
    settings = Settings.of(**order["settings"])
    config = settings.training
    device = choose_device(config.device)
    model = build_model(order["vocab_size"], settings.model).to(device)
    optimizer = make_optimizer(model, config)
    parameters = list(model.parameters())
    for whose in parameters:
        for name in order["moments"]:
            like = torch.zeros((), device=device) if name == "step" else torch.zeros_like(whose)
            optimizer.state[whose][name] = like
    remembered = [optimizer.state[whose][name] for whose in parameters for name in order["moments"]]
    state = model.begin_state(config.rows, device) if order["has_state"] else None
    ranks.spread_all([*parameters, *remembered, *(state or ())])
    policy = POLICIES[config.batches]
    batches = policy(text, config.rows, config.num_steps, config.seed, device)
    step, epoch, batch = order["at"]
    leg = Leg(ranks, model, config.rows, carries_state=batches.carries_state)
    position = Position(step, epoch, batch, state)
    steps = train_steps(
        model, batches, optimizer, config, order["total_steps"], position, order["span"], leg
    )
    with suppress(OverError, NotFiniteError):
        for _ in steps:
            pass
    leg.end()
