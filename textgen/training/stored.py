"""A store, as a training learns from it: never more of it is in memory than is looked at."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textgen.config import CorpusConfig, ReadingConfig, Settings
from textgen.counts.excerpt import Excerpt
from textgen.errors import UsageError
from textgen.evaluation.overlap import measured
from textgen.evaluation.parts import Parts
from textgen.evaluation.sample import Sample
from textgen.evaluation.stored import held_out_passage
from textgen.evaluation.yardsticks import count_yardsticks, judge_by_counts
from textgen.language import _
from textgen.names import readable
from textgen.runs.progress import Plan
from textgen.text.store import Store
from textgen.text.vocab import Vocab
from textgen.training.setup import Material

_MOST_COUNTED = 2_000_000
"""Tokens of a store that are counted: in a second and a quarter of a gigabyte, so that a
training begins as soon, and in as little memory, however much text there is."""


@dataclass(frozen=True)
class Stored:
    """A store that exists."""

    store: Store

    text, earlier = None, ""

    @property
    def vocab(self) -> Vocab:
        """The store's."""
        return self.store.vocab

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.store.folder

    @property
    def length(self) -> int:
        """Characters to learn from."""
        return self.store.about.training_characters

    @property
    def known_by(self) -> tuple[str, dict[str, str] | None]:
        """The SHA-256 of the store's ids and vocabulary."""
        return self.store.sha256, None

    def fitted(self, settings: Settings) -> Settings:
        """Return settings with those that the store was built with.

        Raises:
            UsageError: one that was settled then is asked for otherwise.
        """
        if settings.corpus.items is not None:
            raise UsageError(
                "--items {items} needs text files, and {path} is a store of text that goes on",
                items=settings.corpus.items,
                path=self.store.folder,
            )
        built = self.store.settings
        corpus = CorpusConfig(
            tokens=built.tokens,
            min_count=built.min_count,
            max_vocab=built.max_vocab,
            held_out=built.held_out,
        )
        reading = ReadingConfig(**self.store.about.reading)
        fitted = replace(settings, corpus=corpus, reading=reading)
        usual, settled = Settings().flat(), fitted.flat()
        for name, value in settings.flat().items():
            if value not in (usual[name], settled[name]):
                raise UsageError(
                    "--{flag} is settled when a store is built, and in {path} it is {value}: leave "
                    "it out, or build another one",
                    flag=name.replace("_", "-"),
                    path=self.store.folder,
                    value=settled[name],
                )
        return fitted

    def material(self, counted: int | None, judged: int, *, as_before: bool = False) -> Material:
        """Return it as a training takes it; see ``Material``."""
        store = self.store
        counted = min(counted or _MOST_COUNTED, _MOST_COUNTED)
        if len(store.training) <= counted:
            counted = None
        return Material(
            store.vocab,
            store.training,
            store.occurring,
            held_out_passage(store),
            counted,
            judged,
            as_before,
            store=store,
        )

    def remarks(self) -> list[str]:
        """Return the line that tells what the store holds."""
        line = _("{path}: a store of {count:,} {units} to learn from, and {held_out:,} held out")
        told = line.format(
            path=readable(self.path),
            count=len(self.store.training),
            units=self.vocab.units,
            held_out=len(self.store.held_out),
        )
        return [told]

    def about(self) -> dict[str, Any]:
        """Return what ``config.json`` keeps of it: where it is, in place of a text."""
        return {
            "files": [{"path": str(self.path), "encoding": None}],
            "characters": self.length + self.store.about.held_out_characters,
            "text_sha256": self.store.sha256,
            "store": str(self.path.absolute()),
            **measured("", ""),
        }

    def yardsticks(self, plan: Plan) -> dict[str, float]:
        """Return what counting alone comes to, of what is counted and judged of a store."""
        passage = held_out_passage(self.store)
        if passage is None:
            return {}
        if self.vocab.kind == "word":  # what is counted are characters, also there
            parts = Parts.of_store(self.store, plan.counted)
            sample = Sample.at_the_end(len(parts.held_out), plan.judged)
            return count_yardsticks(parts.training, parts.held_out, plan.counted, sample).by_name
        excerpt = Excerpt.of(self.length, plan.counted)
        sample = Sample.at_the_end(passage.count, plan.judged)
        counted = excerpt.take(self.store.training)
        return judge_by_counts(counted, passage, len(self.vocab), sample).by_name
