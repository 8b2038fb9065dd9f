"""What a run learned from and what it held out, as far as judging looks at it as text.

That is all of a text. Of a store, it is what was counted of one part, and a sample of the other.
"""

from dataclasses import dataclass

from textgen.counts.excerpt import Excerpt
from textgen.language import Message, _
from textgen.runs.folder import Run, split_text
from textgen.runs.stores import store_of
from textgen.text.store import Store

_MOST = 1_000_000
"""Tokens held out that are looked at as text."""


@dataclass(frozen=True)
class Parts:
    """The two parts of what a run was made of."""

    training: str
    held_out: str

    changed: Message | None = None
    """That they are those of another text now: None if they are not."""

    store: Store | None = None
    """Where all of both is, if it is in one."""

    looked_at: tuple[Excerpt, ...] = ()
    """Which tokens of it these are, of both parts."""

    @classmethod
    def of(cls, run: Run) -> "Parts":
        """Return the parts of a run.

        Raises:
            TextgenError: its text or its store is gone, or cannot be read.
        """
        if (store := store_of(run)) is None:
            text, changed = run.read_text()
            return cls(*split_text(text, run.settings.corpus), changed)
        return cls.of_store(store, run.plan.counted)

    @classmethod
    def of_store(cls, store: Store, counted: int | None) -> "Parts":
        """Return the parts of a store, of which so many tokens to learn from are counted."""
        training = Excerpt.of(len(store.training), counted)
        held_out = Excerpt.of(len(store.held_out), _MOST)
        return cls(
            store.text_of(training.take(store.training.written)),
            store.text_of(held_out.take(store.held_out.written)),
            store=store,
            looked_at=(training, held_out),
        )

    def remarks(self) -> list[str]:
        """Return lines on what of a store is not looked at."""
        if self.store is None:
            return []
        about = (
            _(
                "what is copied, or known already, is looked for in {seen:,} of the {count:,} "
                "{units} that were learned from, spread evenly"
            ),
            _(
                "beside the model's figures, which are those of all of it, {seen:,} of the "
                "{count:,} {units} held out are looked at, spread evenly"
            ),
        )
        units = self.store.vocab.units
        return [
            line.format(seen=excerpt.counted, count=excerpt.count, units=units)
            for line, excerpt in zip(about, self.looked_at, strict=True)
            if excerpt.counted < excerpt.count
        ]
