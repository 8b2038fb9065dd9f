"""The run folder: everything needed to generate, to go on training, and to know how it was made.

    checkpoints/<run>/config.json        settings, files, plan: readable text
                      vocab.json         every token with its count: readable text
                      text.txt           the clean text that was learned from; not of a store
                      earlier.txt        what the run learned from that it began with, if any
                      counts.safetensors what followed what in it, see counted.py
                      metrics.jsonl      the numbers, see record.py
                      best.safetensors   weights with the lowest held-out loss
                      last.safetensors   the newest weights, optimiser, position and state

A file is either whole or not there. Nothing is pickled, so loading runs no code.
"""

import contextlib
import itertools
import os
import secrets
import shlex
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_type_hints

from textgen.config import CorpusConfig, Settings
from textgen.counts.learned import Learned
from textgen.errors import TextgenError, UsageError, os_reason
from textgen.files import sync_folder, write_atomically
from textgen.language import Message
from textgen.names import is_plain, readable, to_json
from textgen.runs.counted import save_counts
from textgen.runs.format import FormatError, parse, require, require_settings
from textgen.runs.pictured import Pictured
from textgen.runs.progress import Plan
from textgen.runs.record import Entry, Record, best_figures
from textgen.text.items import end_of, split_items
from textgen.text.vocab import TokenKind, Vocab

FORMAT = 4
"""Of run folders: a change that older programs would read wrongly makes it one more (2: counts; 3:
histories that skip; 4: an earlier text)."""

_LONGEST_NAME = 250
"""Bytes of a run's name: Visdom keeps it with .json behind it, and names of files end at 255."""


_KEPT = {
    "kneser_ney_bits_per_character": float | None,
    "trigram_bits_per_character": float | None,
    "text_sha256": str | None,
    "store": str | None,
    "earlier_sha256": str,
    "from": dict[str, str],
    "characters": int,
    "dtype": Literal["float32", "bfloat16"],
    "files": list[dict[str, str | None]],
    "versions": dict[str, str],
    "held_out_in_training_text": dict[str, float] | None,
    "legs": list[dict[str, Any]],
}
"""What else ``config.json`` tells of a run, and of what type that is."""

_LEG = {"date": str, "command": str | None, "first_step": int, "given": dict}
"""And of each leg in it what is shown."""

CHECKPOINTS = ("best.safetensors", "last.safetensors")
"""The weights with the lowest held-out loss, and the newest with all that a resume needs."""

_UNFINISHED_SECONDS = 3600.0
"""Seconds after which a folder that never became a run is nobody's any more."""

_RESERVED = ("main", "all-runs")
"""What no run is called: environments of Visdom that are no run's."""


class Run(Pictured):
    """A run folder that exists.

    Raises:
        TextgenError: the folder is not a run, or one that a newer program made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.config = parse((folder / "config.json").read_text("utf-8"))
            require(self.config, {"format": int}, missing=True)
            made_as = self.config.get("format", 1)
            if made_as > FORMAT:
                raise TextgenError(
                    "{folder} was made by a newer textgen (run folders of format {made_as}, and "
                    "this one knows {format}): update textgen",
                    folder=folder,
                    made_as=made_as,
                    format=FORMAT,
                )
            require(self.config, {"settings": dict, "plan": dict}, missing=False)
            require(self.config, _KEPT, missing=True)
            for leg in self.legs:
                require(leg, _LEG, missing=True)
            plan = self.config["plan"]
            require(plan, {"total_steps": int, "evaluate_every": int}, missing=False)
            require(plan, get_type_hints(Plan), missing=True)
            require_settings(self.config["settings"])
            # A run that was made before there were shortcuts, counts or a limit, has none.
            before = {"shortcut": False, "counts": False, "max_vocab": 0}
            self.settings = Settings.of(**(before | self.config["settings"]))
            known = {field.name for field in fields(Plan)}
            plan = {name: value for name, value in plan.items() if name in known}
            self.plan = Plan(**plan | {"evaluate_every": max(1, plan["evaluate_every"])})
        except (OSError, UnicodeDecodeError):
            raise _no_run(folder) from None
        except (FormatError, UsageError) as error:
            raise TextgenError(
                "{folder} is not a run folder: config.json {error}", folder=folder, error=error
            ) from None
        self.vocab = _read_vocab(folder)
        self.record = Record(folder / "metrics.jsonl")

    def __repr__(self) -> str:
        metrics = self.metrics
        done = max((entry.get("step", 0) for entry in metrics), default=0)
        bits = best_figures(metrics).get("held_out_bits_per_character")
        figures = [
            f"{self.config.get('characters', 0):,} characters",
            f"{done:,} of {self.plan.total_steps:,} steps",
            *([] if bits is None else [f"{bits:.3f} bits per character held out"]),
        ]
        return f"<Run {self.name}: {', '.join(figures)}>"

    @property
    def name(self) -> str:
        """The folder's name, as people can read it."""
        return name_of(self.folder)

    @property
    def metrics(self) -> list[Entry]:
        """The record so far: flat dicts, of which ``pandas.DataFrame(run.metrics)`` is a table.

        A name that a line does not have was not measured there.
        """
        return self.record.read()

    @property
    def best(self) -> Path:
        """The weights with the lowest held-out loss."""
        return self.folder / CHECKPOINTS[0]

    @property
    def last(self) -> Path:
        """The newest weights, and all that a resume needs."""
        return self.folder / CHECKPOINTS[1]

    @property
    def counts(self) -> Path:
        """What counting knows of the training text; not in every run."""
        return self.folder / "counts.safetensors"

    @property
    def kneser_ney_bits(self) -> float | None:
        """Kneser-Ney's bits per character on the held-out part; none in runs made before."""
        bits: float | None = self.config.get("kneser_ney_bits_per_character")
        return bits

    @property
    def trigram_bits(self) -> float | None:
        """The trigram's bits per character on the held-out part; none without such a part."""
        bits: float | None = self.config.get("trigram_bits_per_character")
        return bits

    @property
    def legs(self) -> list[dict[str, Any]]:
        """Each training that was done on it: when, how and where; of runs made before, nothing."""
        legs: list[dict[str, Any]] = self.config.get("legs", [])
        return legs

    @property
    def store(self) -> str | None:
        """Where the store was that it learned from, in place of a text of its own."""
        store: str | None = self.config.get("store")
        return store

    @property
    def begun_with(self) -> str | None:
        """The name of the run that it began with, if it did."""
        name: str | None = self.config.get("from", {}).get("name")
        return name

    @property
    def skips(self) -> bool:
        """Whether it was made when there were histories that skip."""
        made_as: int = self.config.get("format", 1)
        return made_as >= 3

    @property
    def end(self) -> str | None:
        """What closes an item of its text, if that is one of items."""
        return end_of(self.settings.corpus.items)

    def unchanged_text(self) -> str:
        """Return the text, trained on and held out.

        Raises:
            TextgenError: ``text.txt`` is gone, or is another text now.
        """
        text, changed = self.read_text()
        if changed:
            raise TextgenError(
                "{changed}: put that back, or train a new run on this one", changed=changed
            )
        return text

    @property
    def has_earlier_text(self) -> bool:
        """Whether the text of the run that it began with is counted, too."""
        return "earlier_sha256" in self.config

    def earlier_text(self) -> str:
        """Return the text that the run learned from which this one began with; mostly nothing.

        Raises:
            TextgenError: there was one, and ``earlier.txt`` is gone, or is another text now.
        """
        if not self.has_earlier_text:
            return ""
        text, changed = self._read("earlier.txt", "earlier_sha256")
        if changed:
            raise TextgenError("{changed}: put that back", changed=changed)
        return text

    def learned_text(self) -> str:
        """Return all that was learned from: the earlier text, and the own one's first part.

        Raises:
            TextgenError: as ``earlier_text`` and ``unchanged_text``.
        """
        return self.earlier_text() + self.split()[0]

    def split(self) -> tuple[str, str]:
        """Return the text trained on, and the held-out part after it.

        Raises:
            TextgenError: as ``unchanged_text``.
        """
        return split_text(self.unchanged_text(), self.settings.corpus)

    def read_text(self) -> tuple[str, Message | None]:
        """Return what ``text.txt`` holds, and that it is another text now: None if it is not.

        A run that was made before the text's hash was kept cannot tell.

        Raises:
            TextgenError: it is gone, empty, or no text.
        """
        return self._read("text.txt", "text_sha256")

    def _read(self, name: str, known_by: str) -> tuple[str, Message | None]:
        path = self.folder / name
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            if self.store is not None:
                raise TextgenError(
                    "{name} learned from a store, and this needs a text in memory",
                    name=self.name,
                ) from None
            raise TextgenError(
                "{folder} has no {name}: the text that it was trained on is needed for this",
                folder=self.folder,
                name=name,
            ) from None
        except OSError as error:
            raise TextgenError(
                "{path} cannot be read: {reason}", path=path, reason=os_reason(error)
            ) from None
        changed = self.config.get(known_by) not in (None, sha256(data).hexdigest())
        found = Message(
            "{path} is not the text any more that {name} was trained on", path=path, name=self.name
        )
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise TextgenError("{found}, and not even UTF-8: put that back", found=found) from None
        if not text:
            raise TextgenError("{found}, but empty: put that back", found=found)
        return text, found if changed else None

    def update(self, settings: Settings, plan: Plan) -> None:
        """Write new settings and a new plan into ``config.json``."""
        self.settings = settings
        self.plan = plan
        self.config |= {"settings": settings.flat(), "plan": asdict(plan)}
        write_atomically(self.folder / "config.json", _readable(self.config))


def _no_run(folder: Path) -> TextgenError:
    return TextgenError(
        "{folder} is not a run folder: it needs config.json and vocab.json, as textgen train "
        "writes them",
        folder=folder,
    )


def _read_vocab(folder: Path) -> Vocab:
    """Return a run's vocabulary.

    Raises:
        TextgenError: there is none, or it is damaged.
    """
    try:
        text = (folder / "vocab.json").read_text("utf-8")
        values = parse(text)
        require(
            values,
            {"counts": dict[str, int], "kind": TokenKind, "folded": dict[str, int]},
            missing=False,
        )
        tokens = [*values["counts"], *values["folded"]]
        "".join(tokens).encode()
    except UnicodeEncodeError:
        raise TextgenError(
            "{path} has tokens that are no text", path=folder / "vocab.json"
        ) from None
    except (OSError, UnicodeDecodeError):
        raise _no_run(folder) from None
    except FormatError as error:
        raise TextgenError("{path} {error}", path=folder / "vocab.json", error=error) from None
    if values["kind"] == "character" and any(len(token) != 1 for token in tokens):
        raise TextgenError(
            "{path} has tokens that are not one character", path=folder / "vocab.json"
        )
    return Vocab.from_json(text)


def split_text(text: str, config: CorpusConfig) -> tuple[str, str]:
    """Return a text's two parts: to train on, and the share at its end that is held out."""
    if (end := end_of(config.items)) is not None:
        return split_items(text, end, config.held_out)
    cut = len(text) - int(config.held_out * len(text))
    return text[:cut], text[cut:]


def name_of(folder: Path) -> str:
    """Return the name of a run's folder as people can read it; ``find_run`` finds it by that."""
    return readable(folder.name)


def new_name(file: Path, time: datetime) -> str:
    """Return the name of a run that was given none: what it learns from, and the time."""
    stem = "".join(c for c in readable(file.resolve().stem) if is_plain(f"-{c}"))
    ending = f"-{time:%Y%m%d-%H%M%S}"
    most = _LONGEST_NAME - len(ending) - len("-1000000")  # where another run has the name
    # A leading hyphen would make an option of it, a leading dot hide it.
    begin = stem[:60].lstrip("-. ").encode("utf-8")[:most].decode("utf-8", "ignore")
    return (begin or "text") + ending


def make_room_for(
    root: Path, name: str, given: Message | str = "--name", *, numbered: bool = False
) -> None:
    """Make the folder that runs are in, unless it is there.

    Args:
        root: the folder.
        name: what a run in it shall be called.
        given: what the name is called where it is wrong.
        numbered: as for ``create_run``.

    Raises:
        UsageError: it is no name for a run.
        TextgenError: the folder cannot be written, or holds a run of that name.
    """
    shown = readable(name)
    if name in _RESERVED:
        raise UsageError(
            "{given} is {name}, which is Visdom's own here: choose another name",
            given=given,
            name=name,
        )
    if not is_plain(name) or name.startswith((".", "-")):
        raise UsageError(
            "{given} is {shown!r}: it must be a plain name, without a folder or control "
            "characters, and begin with no dot or hyphen",
            given=given,
            shown=shown,
        )
    if (length := max(len(os.fsencode(one)) for one in (name, shown))) > _LONGEST_NAME:
        raise UsageError(
            "{given} has {length} bytes: it must have at most {longest_name}, and a Chinese "
            "character is three of them",
            given=given,
            length=length,
            longest_name=_LONGEST_NAME,
        )
    if not numbered and (root / name).exists():
        raise TextgenError(
            "{path} exists already: go on with textgen train --resume {name}, "
            "or choose another name",
            path=root / name,
            name=shlex.quote(name),
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        trial = _unfinished(root)  # who is killed in between leaves no run that holds nothing
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        with contextlib.suppress(OSError):
            root.rmdir()  # where it was made for nothing
        raise TextgenError(
            "{path} cannot be written: {reason}", path=root / name, reason=os_reason(error)
        ) from None


def create_run(
    root: Path,
    name: str,
    config: dict[str, Any],
    vocab: Vocab,
    text: str | None,
    learned: Learned | None = None,
    *,
    numbered: bool = False,
    earlier: str = "",
    begin: Callable[[Path], None] | None = None,
) -> Run:
    """Make a new run folder; it appears whole or not at all.

    Args:
        root: the folder that runs are in.
        name: the run's name.
        config: what ``config.json`` shall hold.
        vocab: the vocabulary.
        text: the whole text, learned from and held out; none where a store has it.
        learned: what was counted in it, if anything.
        numbered: where another run has the name, take it with a number behind it.
        earlier: the text that the run learned from which this one begins with.
        begin: writes the weights that it begins with into a file, where a seed does not tell them.

    Raises:
        TextgenError: ``root`` cannot be written, or has a run of that name.
    """
    folder = root / name
    hidden = None
    config = {"format": FORMAT, **config}
    try:
        _remove_unfinished(root)
        hidden = _unfinished(root)
        hidden.mkdir()
        write_atomically(hidden / "config.json", _readable(config))
        write_atomically(hidden / "vocab.json", vocab.to_json().encode())
        for file, held in {"text.txt": text, "earlier.txt": earlier}.items():
            if held:
                write_atomically(hidden / file, held.encode())
        if begin is not None:
            begin(hidden / CHECKPOINTS[1])
        if learned is not None:
            save_counts(hidden / "counts.safetensors", learned)
        for number in itertools.count(2):
            try:
                hidden.rename(folder)  # not onto a folder that holds something
                break
            except OSError:
                if not (numbered and folder.exists()):
                    raise
            folder = root / f"{name}-{number}"
        sync_folder(root)
    except OSError as error:
        raise TextgenError(
            "{folder} cannot be written: {reason}", folder=folder, reason=os_reason(error)
        ) from None
    finally:
        if hidden is not None:
            shutil.rmtree(hidden, ignore_errors=True)
    return Run(folder)


def _unfinished(root: Path) -> Path:
    """Return a name for a folder that is to become a run, or tries whether one could."""
    return root / f".new-{secrets.token_hex(4)}"


def _remove_unfinished(root: Path) -> None:
    """Remove folders that were to become runs when their process was killed, an hour ago or more.

    Younger ones may be another process's that is making its run right now.
    """
    for folder in root.glob(".new-*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _UNFINISHED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _readable(values: dict[str, Any]) -> bytes:
    return to_json(values, indent=2).encode() + b"\n"


Mirror = Callable[[Run], AbstractContextManager[object]]
"""What shows a run's record elsewhere while it is trained; see dashboard/mirror.py."""
