"""A run as one file to give away: a zip with what writing needs, and a card."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.numpy import save

from textgen.files import whole
from textgen.names import is_plain, readable, to_json
from textgen.runs.card import card
from textgen.runs.folder import Run
from textgen.runs.summary import Summary
from textgen.runs.weights import read

_TEXT = ("text.txt", "earlier.txt", "counts.safetensors")
"""The text, that of the run that it began with, and what gives both away as well."""

_OF_THE_MAKER = ("command", "platform")
"""What a leg tells of who trained, and of whose machine."""


def export(run: Run, out: Path, *, text: bool, remarks: Sequence[str] = ()) -> None:
    """Write a run into a zip, whole or not at all.

    Args:
        run: the run.
        out: the file.
        text: with the text, and with the counts, which hold it as well.
        remarks: lines without which the run's figures may not be shown.

    Raises:
        TextgenError: there is no checkpoint yet or it is damaged, or the file cannot be written.
    """
    name = run.name if is_plain(run.name) else "run"
    weights = _weights(run)
    kept = [file for file in _TEXT if text and (run.folder / file).exists()]
    with (
        whole(out) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive,
    ):
        described = card(Summary.of(run), name, kept, remarks)
        archive.writestr(f"{name}/README.md", described)
        archive.writestr(f"{name}/config.json", _config(run))
        archive.writestr(f"{name}/vocab.json", run.vocab.to_json())
        archive.writestr(f"{name}/best.safetensors", weights)
        for part in kept:
            archive.write(run.folder / part, f"{name}/{part}")


def _weights(run: Run) -> bytes:
    """Return a checkpoint with the best weights, and nothing that only a training needs.

    Raises:
        TextgenError: there is none yet, or it is damaged.
    """
    arrays, metadata = read(run.best if run.best.exists() else run.last)
    kept = {name: one for name, one in arrays.items() if name.startswith(("model.", "gate."))}
    return save(kept, {"textgen": json.dumps(metadata)})


def _config(run: Run) -> str:
    """Return the run's ``config.json`` without what only its maker's machine has."""
    config: dict[str, Any] = dict(run.config)
    config["files"] = [
        {**file, "path": Path(readable(file.get("path") or "")).name}
        for file in config.get("files", ())
    ]
    config["legs"] = [
        {name: value for name, value in leg.items() if name not in _OF_THE_MAKER}
        for leg in run.legs
    ]
    return to_json(config, indent=2) + "\n"
