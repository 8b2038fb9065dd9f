"""What a training learns from, and what it is judged on: a text, also one of items, or a store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from textgen.config import Settings
from textgen.errors import UsageError
from textgen.reading.corpus import Corpus, read_and_tell
from textgen.runs.beginning import Beginning
from textgen.runs.folder import Run
from textgen.runs.progress import Plan
from textgen.runs.stores import store_of
from textgen.text.store import Store, is_store
from textgen.text.vocab import Vocab
from textgen.training.automatic import automatic_store
from textgen.training.setup import Material
from textgen.training.stored import Stored
from textgen.training.texts import Text


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
    def known_by(self) -> tuple[str, dict[str, str] | None]:
        """What a run knows it by: its SHA-256, and what it began with, if it did."""

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
