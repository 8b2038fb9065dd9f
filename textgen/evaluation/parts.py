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
"""Characters held out that are looked at as text."""


@dataclass(frozen=True)
class Parts:
    """The two parts of what a run was made of."""

    training: str
    held_out: str

    changed: Message | None = None
    """That they are those of another text now: None if they are not."""

    store: Store | None = None
    """Where all of both is, if it is in one."""

    @classmethod
    def of(cls, run: Run) -> "Parts":
        """Return the parts of a run.

        Raises:
            TextgenError: its text or its store is gone, or cannot be read.
        """
        if (store := store_of(run)) is None:
            text, changed = run.read_text()
            return cls(*split_text(text, run.settings.corpus), changed)
        training = Excerpt.of(len(store.training), run.plan.counted).take(store.training.written)
        held_out = Excerpt.of(len(store.held_out), _MOST).take(store.held_out.written)
        return cls(store.text_of(training), store.text_of(held_out), store=store)

    def remarks(self) -> list[str]:
        """Return lines on what of a store is not looked at."""
        if self.store is None:
            return []
        lines = []
        if len(self.training) < (count := len(self.store.training)):
            line = _(
                "what is copied, or known already, is looked for in {seen:,} of the {count:,} "
                "characters that were learned from, spread evenly"
            )
            lines.append(line.format(seen=len(self.training), count=count))
        if len(self.held_out) < (count := len(self.store.held_out)):
            line = _(
                "beside the model's figures, which are those of all of it, {seen:,} of the "
                "{count:,} characters held out are looked at, spread evenly"
            )
            lines.append(line.format(seen=len(self.held_out), count=count))
        return lines
