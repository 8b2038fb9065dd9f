"""What a training learns from, and what it is judged on: a text, or a store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from textgen.config import CorpusConfig, ReadingConfig, Settings
from textgen.counts.excerpt import Excerpt
from textgen.errors import UsageError
from textgen.evaluation.overlap import measured
from textgen.evaluation.sample import Sample
from textgen.evaluation.stored import held_out_passage
from textgen.evaluation.yardsticks import Yardsticks, count_yardsticks, judge_by_counts
from textgen.language import _
from textgen.names import readable
from textgen.reading.corpus import Corpus, SourceFile, read_and_tell
from textgen.runs.beginning import Beginning
from textgen.runs.folder import Run, split_text
from textgen.runs.progress import Plan
from textgen.runs.stores import store_of
from textgen.text.store import Store, is_store
from textgen.text.vocab import Vocab, first_tokens
from textgen.training.automatic import automatic_store
from textgen.training.setup import Material

_MOST_COUNTED = 2_000_000
"""Characters of a store that are counted: in a second and a quarter of a gigabyte, so that a
training begins as soon, and in as little memory, however much text there is."""


KnownBy = tuple[str, dict[str, str] | None]
"""The SHA-256 of what is learned from, and what it began with, if it did."""


class Source(Protocol):
    """What a training asks of what it learns from."""

    @property
    def vocab(self) -> Vocab:
        """The vocabulary that it is read by."""

    @property
    def path(self) -> Path:
        """What a run of it is named after."""

    @property
    def text(self) -> str | None:
        """All that a run keeps of it as text, learned from and held out; none of a store."""

    @property
    def length(self) -> int:
        """Characters to learn from."""

    @property
    def earlier(self) -> str:
        """What was learned from earlier, and is only counted."""

    @property
    def known_by(self) -> KnownBy:
        """What a run knows it by."""

    def fitted(self, settings: Settings) -> Settings:
        """Return settings with what has been settled by what they are to learn from.

        Raises:
            UsageError: they ask for something else.
        """

    def material(self, counted: int | None, judged: int, *, as_before: bool = False) -> Material:
        """Return it as a training takes it; see ``Material``."""

    def remarks(self) -> list[str]:
        """Return lines to show of it before a training."""

    def about(self) -> dict[str, Any]:
        """Return what ``config.json`` keeps of it."""

    def yardsticks(self, plan: Plan) -> dict[str, float]:
        """Return what counting alone comes to, on what the model is judged on at its end."""


@dataclass(frozen=True)
class Text:
    """A text in memory, with the vocabulary that it is read by."""

    text: str
    """The whole of it, learned from and held out."""

    vocab: Vocab

    held_out: float
    """Share at its end that is judged, and not learned from."""

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
        config, whole = settings.corpus, corpus.text
        text = first_tokens(whole, config.tokens, config.max_tokens)
        known = beginning.vocab if beginning else Vocab({}, config.tokens)
        vocab = known.extended(text, config.min_count, config.max_vocab)
        if len(vocab) == 1:
            raise UsageError(
                "--min-count {min_count} leaves no token of the text: lower it",
                min_count=config.min_count,
            )
        cut, earlier = len(text) < len(whole), beginning.text if beginning else ""
        return cls(text, vocab, config.held_out, corpus.path, corpus.files, cut, earlier, beginning)

    @classmethod
    def of_run(cls, run: Run) -> "Text":
        """Return what a run learns from.

        Raises:
            TextgenError: its ``text.txt`` is gone, or is another text now.
        """
        held_out, earlier = run.settings.corpus.held_out, run.earlier_text()
        return cls(run.unchanged_text(), run.vocab, held_out, earlier=earlier)

    @property
    def parts(self) -> tuple[str, str]:
        """What is learned from, and what is held out."""
        return split_text(self.text, self.held_out)

    @property
    def length(self) -> int:
        """Characters to learn from."""
        return len(self.parts[0])

    @property
    def known_by(self) -> KnownBy:
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
        )

    def remarks(self) -> list[str]:
        """Return the line that tells where not all of the files is used."""
        line = _("of that, the first {count:,} characters are used")
        return [line.format(count=len(self.text))] * self.cut

    def about(self) -> dict[str, Any]:
        """Return what ``config.json`` keeps of it."""
        training_text, held_out_text = self.parts
        files = [{"path": str(file.path), "encoding": file.encoding} for file in self.files]
        known, begun = self.known_by
        return {
            "files": files,
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
        return _bits(count_yardsticks(training_text, held_out_text, plan.counted, sample))


@dataclass(frozen=True)
class Stored:
    """A store, of which never more is in memory than a training looks at."""

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
        return len(self.store.training)

    @property
    def known_by(self) -> KnownBy:
        """The SHA-256 of the store's ids and vocabulary."""
        return self.store.sha256, None

    def fitted(self, settings: Settings) -> Settings:
        """Return settings with those that the store was built with.

        Raises:
            UsageError: one that was settled then is asked for otherwise.
        """
        built = self.store.settings
        corpus = CorpusConfig(min_count=built.min_count, held_out=built.held_out)
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
        if self.length <= counted:
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
        line = _("{path}: a store of {count:,} characters to learn from, and {held_out:,} held out")
        held_out = len(self.store.held_out)
        return [line.format(path=readable(self.path), count=self.length, held_out=held_out)]

    def about(self) -> dict[str, Any]:
        """Return what ``config.json`` keeps of it: where it is, in place of a text."""
        return {
            "files": [{"path": str(self.path), "encoding": None}],
            "characters": self.length + len(self.store.held_out),
            "text_sha256": self.store.sha256,
            "store": str(self.path.absolute()),
            **measured("", ""),
        }

    def yardsticks(self, plan: Plan) -> dict[str, float]:
        """Return what counting alone comes to, of what is counted and judged of a store."""
        passage = held_out_passage(self.store)
        if passage is None:
            return {}
        excerpt = Excerpt.of(self.length, plan.counted)
        sample = Sample.at_the_end(passage.count, plan.judged)
        counted = excerpt.take(self.store.training)
        return _bits(judge_by_counts(counted, passage, len(self.vocab), sample))


def source_of(
    paths: Corpus | Sequence[Path | str] | Path | str,
    settings: Settings,
    root: Path,
    beginning: Beginning | None = None,
) -> Source:
    """Return what a new training learns from, and tell what that is.

    Args:
        paths: text files and folders, or one store; or what has been read of them already.
        settings: how files are read.
        root: the folder that runs are in, and stores of files that hold much text.
        beginning: the run to begin with, if there is one.

    Raises:
        TextgenError: they cannot be read; or a store is to go on with what another run knows.
    """
    if isinstance(paths, Corpus):
        return Text.of(paths, settings, beginning)
    files = [Path(path) for path in ([paths] if isinstance(paths, Path | str) else paths)]
    store = given_store(files)
    if beginning is not None:
        if store is not None:
            raise UsageError(
                "{path} is a store, whose vocabulary is settled: --from takes text files",
                path=store,
            )
    else:
        store = store or automatic_store(files, settings, root)
    if store is not None:
        return Stored(Store(store))
    return Text.of(read_and_tell(files, settings.reading), settings, beginning)


def source_of_run(run: Run, store: Path | None = None) -> Source:
    """Return what a run learns from.

    Args:
        run: the run.
        store: where its store is now, if it has one.

    Raises:
        TextgenError: that is gone, or is something else now.
    """
    found = store_of(run, store)
    return Text.of_run(run) if found is None else Stored(found)


def given_store(paths: Sequence[Path | str]) -> Path | None:
    """Return the store among what is given to learn from, if it is one.

    Raises:
        UsageError: it is not alone.
    """
    stores = [Path(path) for path in paths if is_store(path)]
    if not stores:
        return None
    if len(paths) > 1:
        raise UsageError(
            "{path} is a store, and a training learns from one alone: build one of all that it is "
            "to learn from",
            path=stores[0],
        )
    return stores[0]


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _bits(found: Yardsticks) -> dict[str, float]:
    return {
        "kneser_ney_bits_per_character": found.kneser_ney.bits_per_character,
        "trigram_bits_per_character": found.trigram.bits_per_character,
    }
