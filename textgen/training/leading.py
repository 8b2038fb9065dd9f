"""What the first of several ranks does so that the others take its steps with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from textgen.config import Precision, Settings
from textgen.errors import UsageError
from textgen.model.language_model import LanguageModel
from textgen.model.precision import choose_dtype
from textgen.runs.progress import Position
from textgen.text.batches import Batches
from textgen.text.store import Store
from textgen.text.tokens import Tokens
from textgen.training.leg import Leg
from textgen.training.ranks import Ranks, ranks_here
from textgen.training.together import ALONE, Together

PIECE = 2**26
"""Ids of a text in one message."""


@contextmanager
def together(
    settings: Settings,
    model: LanguageModel,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    text: Tokens,
    store: Store | None,
    total_steps: int,
    position: Position,
    span: int | None,
) -> Iterator[Together]:
    """Have all ranks take the steps that are taken inside; alone, do nothing.

    Everything that a step depends on is told anew: a training may have gone back, or been planned
    anew.

    Args:
        settings: all settings.
        model: the network.
        optimizer: its optimiser.
        batches: what it learns from.
        text: the ids (N,) of the text that these are of.
        store: where they are, if they are on a disk.
        total_steps: as in ``train_steps``.
        position: as there.
        span: as there.

    Raises:
        LostError: another rank is gone.
    """
    ranks = ranks_here()
    if ranks is None:
        yield ALONE
        return
    ranks.end_leg()
    _read_out(ranks, text, store)
    dtype = choose_dtype(settings.training.precision, model.parameters())
    precision: Precision = "bfloat16" if dtype == torch.bfloat16 else "float32"
    exact = replace(settings.training, precision=precision)
    parameters = list(model.parameters())
    moments = list(optimizer.state.get(parameters[0], {}))
    carries_state = batches.goes_on(position.epoch, 1)
    state = position.state if carries_state else None
    ranks.say(
        do="steps",
        settings=replace(settings, training=exact).flat(),
        vocab_size=model.vocab_size,
        total_steps=total_steps,
        span=span,
        at=[position.step, position.epoch, position.batch],
        moments=moments,
        has_state=state is not None,
    )
    remembered = [optimizer.state[whose][name] for whose in parameters for name in moments]
    ranks.spread_all([*parameters, *remembered, *(state or ())])
    leg = Leg(ranks, model, settings.training.rows, carries_state=carries_state)
    ranks.end_leg = leg.end
    try:
        yield leg
    finally:
        leg.end()


def _read_out(ranks: Ranks, text: Tokens, store: Store | None) -> None:
    """Send all ranks the text, or where it is stored, unless they have it."""
    if ranks.text is text:
        return
    ranks.text = text
    if store is not None:
        ranks.say(do="open", store=str(store.folder.absolute()), sha256=store.sha256)
        return
    ranks.say(do="read", count=len(text))
    for first in range(0, len(text), PIECE):
        ranks.spread(torch.from_numpy(text[first : first + PIECE]))


def dismiss(ranks: Ranks) -> None:
    """Tell the other ranks, those that are still there, that all is done."""
    if not ranks.is_lost:
        ranks.end_leg()
        ranks.say(do="end")


def require_shares(rows: int, *, items: bool) -> None:
    """Check that the ranks can share batches of so many rows; alone, one can.

    Raises:
        UsageError: they cannot, since the rows are too few or those of items.
    """
    if (ranks := ranks_here()) is None:
        return
    if items:
        raise UsageError("several ranks share the rows of a text that goes on: leave --items out")
    ranks.require_rows(rows)


def note_run(folder: Path) -> None:
    """Keep a run's folder where ranks find it that torchrun starts in the place of lost ones."""
    if (ranks := ranks_here()) is not None:
        ranks.note(folder)


def noted_run() -> Path | None:
    """Return the run of the ranks in whose place torchrun has started these, if there was one."""
    return None if (ranks := ranks_here()) is None else ranks.noted()
