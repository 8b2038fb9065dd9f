"""A text in memory, as a training learns from it."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from textgen.config import CorpusConfig, Settings
from textgen.errors import UsageError
from textgen.evaluation.overlap import measured
from textgen.evaluation.sample import Sample
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.language import _
from textgen.reading.corpus import Corpus, SourceFile
from textgen.runs.beginning import Beginning
from textgen.runs.folder import Run, split_text
from textgen.runs.progress import Plan
from textgen.text.items import end_of, shuffled
from textgen.text.vocab import Vocab, first_tokens
from textgen.training.items import remark, require_items
from textgen.training.setup import Material


@dataclass(frozen=True)
class Text:
    """A text in memory, with the vocabulary that it is read by."""

    text: str
    """The whole of it, learned from and held out."""

    vocab: Vocab

    config: CorpusConfig
    """Says which share at its end is judged, and not learned from, and whether it is of items."""

    path: Path = Path()

    files: tuple[SourceFile, ...] = ()
    """What it was read from."""

    cut: bool = False
    """Whether those hold more."""

    earlier: str = ""
    """What was learned from earlier, by the run that it begins with, and is only counted here."""

    beginning: Beginning | None = None
    """That run, before the first step."""

    @classmethod
    def of(cls, corpus: Corpus, settings: Settings, beginning: Beginning | None = None) -> "Text":
        """Return what files hold, as far as the settings take it.

        Args:
            corpus: what was read of the files.
            settings: all settings.
            beginning: the run to begin with, whose vocabulary is extended, if there is one.

        Raises:
            UsageError: the settings leave nothing of it.
        """
        config, whole = settings.corpus, corpus.text_of(settings.corpus.items)
        text = first_tokens(whole, config.tokens, config.max_tokens)
        cut, end = len(text) < len(whole), end_of(config.items)
        if end is not None:
            text = shuffled(text, end, settings.training.seed)
            require_items(settings, text.count(end))
        known = beginning.vocab if beginning else Vocab({}, config.tokens)
        vocab = known.extended(text, config.min_count, config.max_vocab)
        if len(vocab) == 1 or (end is not None and end not in vocab):
            raise UsageError(
                "--min-count {min_count} leaves no token of the text: lower it",
                min_count=config.min_count,
            )
        earlier = beginning.text if beginning else ""
        return cls(text, vocab, config, corpus.path, corpus.files, cut, earlier, beginning)

    @classmethod
    def of_run(cls, run: Run) -> "Text":
        """Return what a run learns from.

        Raises:
            TextgenError: its ``text.txt`` is gone, or is another text now.
        """
        earlier = run.earlier_text()
        return cls(run.unchanged_text(), run.vocab, run.settings.corpus, earlier=earlier)

    @property
    def parts(self) -> tuple[str, str]:
        """What is learned from, and what is held out."""
        return split_text(self.text, self.config)

    @property
    def end(self) -> str | None:
        """What closes an item, if it is of items."""
        return end_of(self.config.items)

    @property
    def length(self) -> int:
        """Characters to learn from."""
        return len(self.parts[0])

    @property
    def known_by(self) -> tuple[str, dict[str, str] | None]:
        """The SHA-256 of the whole text, and what it began with."""
        begun = None if self.beginning is None else self.beginning.known_by
        return _sha256(self.text), begun

    def fitted(self, settings: Settings) -> Settings:
        """Return the settings: all of them hold for a text that is read now."""
        return settings

    def material(self, counted: int | None, judged: int, *, as_before: bool = False) -> Material:
        """Return it as a training takes it; see ``Material``."""
        return Material.of(
            self.vocab,
            *self.parts,
            counted,
            judged,
            as_before=as_before,
            earlier=self.earlier,
            beginning=self.beginning,
            end=self.end,
        )

    def remarks(self) -> list[str]:
        """Return the lines that tell where not all of the files is used, and of items."""
        line = _("of that, the first {count:,} characters are used")
        lines = [line.format(count=len(self.text))] * self.cut
        return lines if self.end is None else [*lines, remark(*self.parts, self.end)]

    def about(self) -> dict[str, Any]:
        """Return what ``config.json`` keeps of it."""
        training_text, held_out_text = self.parts
        known, begun = self.known_by
        return {
            "files": [{"path": str(file.path), "encoding": file.encoding} for file in self.files],
            "characters": len(self.text),
            "text_sha256": known,
            **({"from": begun} if begun else {}),
            **({"earlier_sha256": _sha256(self.earlier)} if self.earlier else {}),
            **measured(self.earlier + training_text, held_out_text),
        }

    def yardsticks(self, plan: Plan) -> dict[str, float]:
        """Return what counting alone comes to, on what the model is judged on at its end."""
        training_text, held_out_text = self.earlier + self.parts[0], self.parts[1]
        sample = Sample.at_the_end(len(held_out_text), plan.judged)
        found = count_yardsticks(training_text, held_out_text, plan.counted, sample, self.end)
        return found.by_name


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
