"""What a training tells who watches it: an entry of its record, and what came of its budget."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from textgen.language import _
from textgen.runs.folder import Run
from textgen.runs.record import Entry
from textgen.training.agenda import spent_after
from textgen.training.clock import Clock
from textgen.training.setup import Material

if TYPE_CHECKING:
    from tqdm import tqdm

log = logging.getLogger(__name__)


def tell(entry: Entry, bar: "tqdm[NoReturn]", material: Material, prefixes: Sequence[str]) -> None:
    """Show an entry of the record on the bar, and what an evaluation found in lines above it."""
    figures = []
    if "perplexity" in entry:
        loss, perplexity = entry["loss"], entry["perplexity"]
        shown = _("loss {loss:.3f}, perplexity {perplexity:.1f}")
        bar.set_postfix_str(shown.format(loss=loss, perplexity=perplexity), refresh=False)
        figures.append(_("perplexity {perplexity:.1f}").format(perplexity=perplexity))
    if "sample" not in entry:
        return
    if "held_out_perplexity" in entry:
        judged, count = entry["held_out_tokens"], material.at_the_end.count
        shown = (
            _(
                "held out {perplexity:.1f} ({bits:.3f} bits per character) on {judged:,} of "
                "{count:,} {units}"
            )
            if judged < count
            else _("held out {perplexity:.1f} ({bits:.3f} bits per character)")
        )
        figures.append(
            shown.format(
                perplexity=entry["held_out_perplexity"],
                bits=entry["held_out_bits_per_character"],
                judged=judged,
                count=count,
                units=material.vocab.units,
            )
        )
    if figures:
        log.info("epoch %.2f: %s", entry["epoch"], _(", ").join(figures))
    else:
        log.info("epoch %.2f", entry["epoch"])
    # A text of the model's own is one line; of each prefix there is one.
    log.info("  %s", entry["sample"].replace("\n", "\n  " if prefixes else " "))


def tell_budget(
    run: Run, done: int, epochs: float, clock: Clock, spent: float, *, early: bool
) -> None:
    """Tell what was asked and what was spent, and why that is less.

    Args:
        run: the run; its plan has a budget.
        done: steps done.
        epochs: the epochs that these are.
        clock: what the training went by; it has run on while the end was judged.
        spent: the seconds that it had counted before that.
        early: whether the training stopped early.
    """
    plan = run.plan
    before = [entry for entry in run.record.read() if entry["step"] <= plan.first_step]
    gone = spent - spent_after(before)
    words = [
        _("{budget:g} s asked, {gone:,.1f} s spent on {steps:,} steps, judging and saving").format(
            budget=plan.budget, gone=gone, steps=done - plan.first_step
        )
    ]
    if early:
        words.append(_("it stopped early"))
    elif done == plan.most:
        as_many = _("{epochs:.3g} epochs are as many as were to be")
        words.append(as_many.format(epochs=epochs))
    ending = _("judging the end took {seconds:,.1f} s more")
    words.append(ending.format(seconds=clock.read() - spent))
    if clock.stopped:
        stopped = _("{seconds:,.0f} s of a process that was stopped do not count")
        words.append(stopped.format(seconds=clock.stopped))
    log.info("%s", _("; ").join(words))
