"""A training's list of items: what is refused, and what there is to tell of it."""

from textgen.config import Settings
from textgen.errors import UsageError
from textgen.language import _

_LEAST = 2
"""Items: one to learn from, and one that may be held out."""


def require_items(settings: Settings, count: int) -> None:
    """Refuse what no training on so many items can be.

    Raises:
        UsageError: there are too few, or they were to be cut like a text that goes on.
    """
    items, max_tokens = settings.corpus.items, settings.corpus.max_tokens
    if settings.training.batches != "sequential":
        raise UsageError(
            "--batches {batches} cuts a text that goes on, and --items {items} has batches of its "
            "own: leave one of them out",
            batches=settings.training.batches,
            items=items,
        )
    if count < _LEAST and max_tokens is not None:
        raise UsageError(
            "--max-tokens {max_tokens:,} leaves {count} whole items, and --items {items} needs at "
            "least {least}: raise it",
            max_tokens=max_tokens,
            count=count,
            items=items,
            least=_LEAST,
        )
    if count < _LEAST:
        raise UsageError(
            "--items {items} finds {count} item, and needs at least {least}: give more of them, or "
            "leave it out for a text that goes on",
            items=items,
            count=count,
            least=_LEAST,
        )


def remark(training_text: str, held_out_text: str, end: str) -> str:
    """Return a line on how many items there are, and how many of those held out are known."""
    learned, held_out = (part.split(end)[:-1] for part in (training_text, held_out_text))
    line = _("{count:,} items, shuffled; {held_out:,} of them are held out")
    if known := len(set(learned).intersection(held_out)):
        line = _(
            "{count:,} items, shuffled; {held_out:,} of them are held out, and "
            "{known:,} of those stand among the others, too"
        )
    count = len(learned) + len(held_out)
    return line.format(count=count, held_out=len(held_out), known=known)
