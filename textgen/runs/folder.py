"""The run folder: everything needed to generate, to go on training, and to know how it was made.

    checkpoints/<run>/config.json        settings, files, plan: readable text
                      vocab.json         every token with its count: readable text
                      text.txt           the clean text that was learned from
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

from textgen.config import Settings
from textgen.counts.learned import Learned
from textgen.errors import TextgenError, UsageError
from textgen.files import sync_folder, write_atomically
from textgen.names import is_plain, readable, to_json
from textgen.runs.counted import save_counts
from textgen.runs.format import FormatError, parse, require, require_settings
from textgen.runs.progress import Plan
from textgen.runs.record import Record
from textgen.text.vocab import TokenKind, Vocab

FORMAT = 3
"""Of run folders: a change that older programs would read wrongly makes it one more (2: counts; 3:
histories that skip)."""

_LONGEST_NAME = 250
"""Bytes of a run's name: Visdom keeps it with .json behind it, and names of files end at 255."""


_KEPT = {
    "kneser_ney_bits_per_character": float | None,
    "trigram_bits_per_character": float | None,
    "text_sha256": str | None,
    "characters": int,
    "dtype": Literal["float32", "bfloat16"],
    "files": list[dict[str, str | None]],
    "versions": dict[str, str],
}
"""What else ``config.json`` tells of a run, and of what type that is."""

_CHECKPOINTS = ("best.safetensors", "last.safetensors")

_UNFINISHED_SECONDS = 3600.0
"""Seconds after which a folder that never became a run is nobody's any more."""


class Run:
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
                    f"{folder} was made by a newer textgen (run folders of format {made_as}, and "
                    f"this one knows {FORMAT}): pip install --upgrade textgen"
                )
            require(self.config, {"settings": dict, "plan": dict}, missing=False)
            require(self.config, _KEPT, missing=True)
            plan = self.config["plan"]
            require(plan, {"total_steps": int, "evaluate_every": int}, missing=False)
            require(plan, get_type_hints(Plan), missing=True)
            require_settings(self.config["settings"])
            # A run that was made before there were shortcuts, or counts, has none.
            before = {"shortcut": False, "counts": False}
            self.settings = Settings.of(**(before | self.config["settings"]))
            known = {field.name for field in fields(Plan)}
            plan = {name: value for name, value in plan.items() if name in known}
            self.plan = Plan(**plan | {"evaluate_every": max(1, plan["evaluate_every"])})
        except (OSError, UnicodeDecodeError):
            raise _no_run(folder) from None
        except (FormatError, UsageError) as error:
            raise TextgenError(f"{folder} is not a run folder: config.json {error}") from None
        self.vocab = _read_vocab(folder)
        self.record = Record(folder / "metrics.jsonl")

    @property
    def name(self) -> str:
        """The folder's name, as people can read it."""
        return name_of(self.folder)

    @property
    def best(self) -> Path:
        """The weights with the lowest held-out loss."""
        return self.folder / _CHECKPOINTS[0]

    @property
    def last(self) -> Path:
        """The newest weights, and all that a resume needs."""
        return self.folder / _CHECKPOINTS[1]

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
    def skips(self) -> bool:
        """Whether it was made when there were histories that skip."""
        made_as: int = self.config.get("format", 1)
        return made_as >= 3

    def split(self) -> tuple[str, str]:
        """Return the text trained on, and the held-out part after it.

        Raises:
            TextgenError: ``text.txt`` is gone, or is another text now.
        """
        text, changed = self.read_text()
        if changed:
            raise TextgenError(f"{changed}: put that back, or train a new run on this one")
        return split_text(text, self.settings.corpus.held_out)

    def read_text(self) -> tuple[str, str]:
        """Return what ``text.txt`` holds, and that it is another text now: nothing if it is not.

        A run that was made before the text's hash was kept cannot tell.

        Raises:
            TextgenError: it is gone, empty, or no text.
        """
        path = self.folder / "text.txt"
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise TextgenError(
                f"{self.folder} has no text.txt: the text that it was trained on is needed for this"
            ) from None
        except OSError as error:
            raise TextgenError(f"{path} cannot be read: {error.strerror}") from None
        changed = self.config.get("text_sha256") not in (None, sha256(data).hexdigest())
        found = f"{path} is not the text any more that {self.name} was trained on"
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise TextgenError(f"{found}, and not even UTF-8: put that back") from None
        if not text:
            raise TextgenError(f"{found}, but empty: put that back")
        return text, found if changed else ""

    def update(self, settings: Settings, plan: Plan) -> None:
        """Write new settings and a new plan into ``config.json``."""
        self.settings = settings
        self.plan = plan
        self.config |= {"settings": settings.flat(), "plan": asdict(plan)}
        write_atomically(self.folder / "config.json", _readable(self.config))


def _no_run(folder: Path) -> TextgenError:
    return TextgenError(
        f"{folder} is not a run folder: it needs config.json and vocab.json, as textgen train "
        "writes them"
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
        raise TextgenError(f"{folder / 'vocab.json'} has tokens that are no text") from None
    except (OSError, UnicodeDecodeError):
        raise _no_run(folder) from None
    except FormatError as error:
        raise TextgenError(f"{folder / 'vocab.json'} {error}") from None
    if values["kind"] == "character" and any(len(token) != 1 for token in tokens):
        raise TextgenError(f"{folder / 'vocab.json'} has tokens that are not one character")
    return Vocab.from_json(text)


def split_text(text: str, held_out: float) -> tuple[str, str]:
    """Return a text's two parts: to train on, and the share at its end that is held out."""
    cut = len(text) - int(held_out * len(text))
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


def make_room_for(root: Path, name: str, *, numbered: bool = False) -> None:
    """Make the folder that runs are in, unless it is there.

    Args:
        root: the folder that runs are in.
        name: the run's name.
        numbered: as for ``create_run``.

    Raises:
        TextgenError: it cannot be written, or holds a run of that name.
    """
    shown = readable(name)
    if not is_plain(name) or name.startswith((".", "-")):
        raise UsageError(
            f"--name is {shown!r}: it must be a plain name, without a folder or control "
            "characters, and begin with no dot or hyphen"
        )
    if (length := max(len(os.fsencode(one)) for one in (name, shown))) > _LONGEST_NAME:
        raise UsageError(
            f"--name has {length} bytes: it must have at most {_LONGEST_NAME}, and a Chinese "
            "character is three of them"
        )
    if not numbered and (root / name).exists():
        raise TextgenError(
            f"{root / name} exists already: go on with textgen train --resume {shlex.quote(name)}, "
            "or choose another --name"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        trial = _unfinished(root)  # who is killed in between leaves no run that holds nothing
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        with contextlib.suppress(OSError):
            root.rmdir()  # where it was made for nothing
        raise TextgenError(f"{root / name} cannot be written: {error.strerror}") from None


def create_run(
    root: Path,
    name: str,
    config: dict[str, Any],
    vocab: Vocab,
    text: str,
    learned: Learned | None = None,
    *,
    numbered: bool = False,
) -> Run:
    """Make a new run folder; it appears whole or not at all.

    Args:
        root: the folder that runs are in.
        name: the run's name.
        config: what ``config.json`` shall hold.
        vocab: the vocabulary.
        text: the whole text, learned from and held out.
        learned: what was counted in it, if anything.
        numbered: where another run has the name, take it with a number behind it.

    Raises:
        TextgenError: ``root`` cannot be written, or has a run of that name.
    """
    folder = root / name
    hidden = None
    data = text.encode()
    config = {"format": FORMAT, **config, "text_sha256": sha256(data).hexdigest()}
    try:
        _remove_unfinished(root)
        hidden = _unfinished(root)
        hidden.mkdir()
        write_atomically(hidden / "config.json", _readable(config))
        write_atomically(hidden / "vocab.json", vocab.to_json().encode())
        write_atomically(hidden / "text.txt", data)
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
        raise TextgenError(f"{folder} cannot be written: {error.strerror}") from None
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


def find_run(root: Path, name: str | None = None) -> Run:
    """Return the run of that name under ``root``, or at that path; the newest when none is given.

    The newest is the one that was written last, also where it has no checkpoint yet.

    Raises:
        TextgenError: there is none.
    """
    if name is not None:
        for folder in (root / name, Path(name), *_read_as(name, root)):
            if folder.is_dir():
                return Run(folder)
        names = ", ".join(name_of(path.parent) for path in newest_checkpoints(root)[-5:])
        raise TextgenError(
            f"there is no run {name} in {root}; "
            + (f"there are: {names}" if names else "make one with: textgen train FILE")
        )
    written = _newest(root, "config.json", *_CHECKPOINTS)
    if not written:
        raise TextgenError(f"there is no run in {root} yet; make one with: textgen train FILE")
    return Run(written[-1].parent)


def _read_as(name: str, root: Path) -> list[Path]:
    """Return what in a folder people read as this name."""
    return [path for path in root.glob("*") if name_of(path) == name]


def newest_checkpoints(root: Path) -> list[Path]:
    """Return the newest checkpoint of every run that has one, the oldest first."""
    return _newest(root, *_CHECKPOINTS)


def _newest(root: Path, *names: str) -> list[Path]:
    """Return of every run the file of these names that was written last, the oldest first.

    Hidden folders are no runs.
    """
    found = (path for name in names for path in root.glob(f"[!.]*/{name}"))
    written = sorted(found, key=_written)
    newest = {path.parent: path for path in written if (path.parent / "config.json").exists()}
    return sorted(newest.values(), key=_written)


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns


def _readable(values: dict[str, Any]) -> bytes:
    return to_json(values, indent=2).encode() + b"\n"


Mirror = Callable[[Run], AbstractContextManager[object]]
"""What shows a run's record elsewhere while it is trained; see dashboard/mirror.py."""
