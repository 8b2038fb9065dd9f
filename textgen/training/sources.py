"""What a training learns from, and what it is judged on: a text."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from textgen.config import Settings
from textgen.errors import UsageError
from textgen.evaluation.overlap import measured
from textgen.evaluation.sample import Sample
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.reading.corpus import Corpus
from textgen.runs.folder import Run, split_text
from textgen.runs.progress import Plan
from textgen.text.vocab import Vocab, first_tokens
from textgen.training.setup import Material


@dataclass(frozen=True)
class Text:
    """A text in memory, with the vocabulary that it is read by."""

    text: str
    """The whole of it, learned from and held out."""

    vocab: Vocab

    held_out: float
    """Share at its end that is judged, and not learned from."""

    @classmethod
    def of(cls, corpus: Corpus, settings: Settings) -> "Text":
        """Return what files hold, as far as the settings take it.

        Raises:
            UsageError: the settings leave nothing of it.
        """
        config = settings.corpus
        text = first_tokens(corpus.text, config.tokens, config.max_tokens)
        vocab = Vocab.build(text, config.tokens, config.min_count, config.max_vocab)
        if len(vocab) == 1:
            raise UsageError(
                "--min-count {min_count} leaves no token of the text: lower it",
                min_count=config.min_count,
            )
        return cls(text, vocab, config.held_out)

    @classmethod
    def of_run(cls, run: Run) -> "Text":
        """Return what a run learns from.

        Raises:
            TextgenError: its ``text.txt`` is gone, or is another text now.
        """
        return cls(run.unchanged_text(), run.vocab, run.settings.corpus.held_out)

    @property
    def parts(self) -> tuple[str, str]:
        """What is learned from, and what is held out."""
        return split_text(self.text, self.held_out)

    @property
    def length(self) -> int:
        """Characters to learn from."""
        return len(self.parts[0])

    @property
    def sha256(self) -> str:
        """Of the whole text: a run knows it by that."""
        return sha256(self.text.encode()).hexdigest()

    def material(self, counted: int | None, judged: int, *, as_before: bool = False) -> Material:
        """Return it as a training takes it; see ``Material``."""
        return Material.of(self.vocab, *self.parts, counted, judged, as_before=as_before)

    def about(self) -> dict[str, Any]:
        """Return what ``config.json`` keeps of it."""
        return {"characters": len(self.text), **measured(*self.parts)}

    def yardsticks(self, plan: Plan) -> dict[str, float]:
        """Return what counting alone comes to, on what the model is judged on at its end."""
        training_text, held_out_text = self.parts
        sample = Sample.at_the_end(len(held_out_text), plan.judged)
        found = count_yardsticks(training_text, held_out_text, plan.counted, sample)
        return {
            "kneser_ney_bits_per_character": found.kneser_ney.bits_per_character,
            "trigram_bits_per_character": found.trigram.bits_per_character,
        }
