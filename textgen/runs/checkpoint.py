"""The run folder: everything needed to generate, to go on training, and to know how it was made.

    checkpoints/<run>/config.json        settings, files, plan: readable text
                      vocab.json         every token with its count: readable text
                      text.txt           the clean text that was learned from
                      metrics.jsonl      the numbers, see runs/record.py
                      best.safetensors   weights with the lowest held-out loss
                      last.safetensors   the newest weights, optimiser, position and state

A file is either whole or not there. Nothing is pickled, so loading runs no code. The model's
tensors are called ``model.<parameter>`` and are the same for both models.
"""

import contextlib
import hashlib
import json
import shlex
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from textgen.config import Settings
from textgen.errors import TextgenError, UsageError
from textgen.files import write_atomically
from textgen.runs.record import Record
from textgen.text.vocab import Vocab
from textgen.training.loop import Position


@dataclass(frozen=True)
class Plan:
    """What a training's length came to; it is fixed before the first step."""

    total_steps: int
    evaluate_every: int


@dataclass
class Progress:
    """How the held-out evaluations of a training went so far."""

    best_bits: float | None = None
    """Lowest bits per character, in ``best.safetensors``."""

    stale: int = 0
    """Evaluations since then."""


class Run:
    """A run folder that exists.

    Raises:
        TextgenError: the folder is not a run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
            # A run that was made before there was a shortcut has none.
            self.settings = Settings.of(**({"shortcut": False} | self.config["settings"]))
            self.plan = Plan(**self.config["plan"])
            self.vocab = Vocab.from_json((folder / "vocab.json").read_text("utf-8"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError):
            raise TextgenError(
                f"{folder} is not a run folder: it needs config.json and vocab.json, as "
                "textgen train writes them"
            ) from None
        self.record = Record(folder / "metrics.jsonl")

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def best(self) -> Path:
        """The weights with the lowest held-out loss."""
        return self.folder / "best.safetensors"

    @property
    def last(self) -> Path:
        """The newest weights, and all that a resume needs."""
        return self.folder / "last.safetensors"

    @property
    def trigram_bits(self) -> float | None:
        """The trigram's bits per character on the held-out part; none without such a part."""
        bits: float | None = self.config["trigram_bits_per_character"]
        return bits

    def split(self) -> tuple[str, str]:
        """Return the text trained on, and the held-out part after it.

        Raises:
            TextgenError: ``text.txt`` is gone.
        """
        try:
            text = (self.folder / "text.txt").read_bytes().decode()
        except OSError:
            raise TextgenError(
                f"{self.folder} has no text.txt: the text that it was trained on is needed for this"
            ) from None
        return split_text(text, self.settings.corpus.held_out)

    def update(self, settings: Settings, plan: Plan) -> None:
        """Write new settings and a new plan into ``config.json``."""
        self.settings = settings
        self.plan = plan
        self.config |= {"settings": settings.flat(), "plan": asdict(plan)}
        write_atomically(self.folder / "config.json", _readable(self.config))


def split_text(text: str, held_out: float) -> tuple[str, str]:
    """Return a text's two parts: to train on, and the share at its end that is held out."""
    cut = len(text) - int(held_out * len(text))
    return text[:cut], text[cut:]


def make_room_for(root: Path, name: str) -> None:
    """Make the folder that runs are in, unless it is there.

    Raises:
        TextgenError: it cannot be written, or holds a run of that name.
    """
    if Path(name).name != name or not name.isprintable():
        raise UsageError(f"--name is {name!r}: it must be a plain name, without a folder")
    if (root / name).exists():
        raise TextgenError(
            f"{root / name} exists already: go on with textgen train --resume {shlex.quote(name)}, "
            "or choose another --name"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        (root / name).mkdir()
        (root / name).rmdir()
    except OSError as error:
        with contextlib.suppress(OSError):
            root.rmdir()  # where it was made for nothing
        raise TextgenError(f"{root / name} cannot be written: {error.strerror}") from None


def create_run(root: Path, name: str, config: dict[str, Any], vocab: Vocab, text: str) -> Run:
    """Make a new run folder; it appears whole or not at all.

    Raises:
        TextgenError: ``root`` cannot be written.
    """
    folder = root / name
    hidden = None
    try:
        hidden = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        write_atomically(hidden / "config.json", _readable(config))
        write_atomically(hidden / "vocab.json", vocab.to_json().encode())
        write_atomically(hidden / "text.txt", text.encode())
        hidden.chmod(0o755)
        hidden.rename(folder)
    except OSError as error:
        raise TextgenError(f"{folder} cannot be written: {error.strerror}") from None
    finally:
        if hidden is not None:
            shutil.rmtree(hidden, ignore_errors=True)
    return Run(folder)


def find_run(root: Path, name: str | None = None) -> Run:
    """Return the run of that name under ``root``, or at that path; the newest when none is given.

    Raises:
        TextgenError: there is none.
    """
    if name is not None:
        for folder in (root / name, Path(name)):
            if folder.is_dir():
                return Run(folder)
        names = ", ".join(path.parent.name for path in _checkpoints(root)[-5:])
        raise TextgenError(
            f"there is no run {name} in {root}; "
            + (f"there are: {names}" if names else "make one with: textgen train FILE")
        )
    checkpoints = _checkpoints(root)
    if not checkpoints:
        raise TextgenError(f"there is no run in {root} yet; make one with: textgen train FILE")
    return Run(checkpoints[-1].parent)


def _checkpoints(root: Path) -> list[Path]:
    """Return the newest checkpoint of every run, the oldest first."""
    written = sorted(root.glob("*/*.safetensors"), key=_written)
    newest = {path.parent: path for path in written if (path.parent / "config.json").exists()}
    return sorted(newest.values(), key=_written)


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns


def _readable(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=2) + "\n").encode()


def save_checkpoint(
    path: Path,
    model: nn.Module,
    position: Position,
    progress: Progress,
    optimizer: torch.optim.Optimizer | None = None,
    vocab: Vocab | None = None,
) -> None:
    """Write weights and position, and with an optimiser all that a resume needs.

    A model of a language is written with its vocabulary, and only loads with the same one.
    """
    tensors: dict[str, Tensor | None] = {
        f"model.{name}": value for name, value in model.named_parameters()
    }
    if optimizer is not None:
        tensors |= {f"state.{i}": part for i, part in enumerate(position.state or ())}
        for i, values in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{name}": value for name, value in values.items()}
    metadata = {
        "vocab": _fingerprint(vocab),
        "step": position.step,
        "epoch": position.epoch,
        "batch": position.batch,
        "best_bits": progress.best_bits,
        "stale": progress.stale,
    }
    data = save(
        # Momentum that was never used is None in torch's SGD.
        {name: value.detach().contiguous() for name, value in tensors.items() if value is not None},
        {"textgen": json.dumps(metadata)},
    )
    write_atomically(path, data)


def load_weights(path: Path, model: nn.Module, vocab: Vocab | None = None) -> int:
    """Load a checkpoint's weights into a model, and return the step that they are of.

    Raises:
        TextgenError: there is no checkpoint, it is damaged, or it is of another vocabulary or of
            a model of another shape.
    """
    tensors, metadata = _read(path, "model.")
    if metadata["vocab"] != _fingerprint(vocab):
        raise TextgenError(
            f"{path} was trained with another vocabulary than the vocab.json beside it; "
            "put the two together that belong together"
        )
    parameters = dict(model.named_parameters())
    shapes = {name: tuple(value.shape) for name, value in parameters.items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    if shapes != found:
        name = next(name for name in {**shapes, **found} if shapes.get(name) != found.get(name))
        raise TextgenError(
            f"{path} is of another model: {name} is {found.get(name)} in it and "
            f"{shapes.get(name)} in the model that the settings describe"
        )
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[name])
    step: int = metadata["step"]
    return step


def load_training(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, vocab: Vocab | None = None
) -> tuple[Position, Progress]:
    """Load a checkpoint to go on from exactly there; where there is none yet, start anew."""
    if not path.exists():
        return Position(), Progress()
    load_weights(path, model, vocab)
    device = next(model.parameters()).device
    moments, metadata = _read(path, "optimizer.")
    state_dict = optimizer.state_dict()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for name, value in moments.items():
        index, key = name.split(".")
        # A fused optimiser trusts that they lie in memory as their parameter does.
        laid_out = torch.empty_like(parameters[int(index)]).copy_(value) if value.dim() else value
        state_dict["state"].setdefault(int(index), {})[key] = laid_out
    optimizer.load_state_dict(state_dict)
    parts, _ = _read(path, "state.")
    state = tuple(parts[str(i)].to(device) for i in range(len(parts))) or None
    position = Position(metadata["step"], metadata["epoch"], metadata["batch"], state)
    return position, Progress(metadata["best_bits"], metadata["stale"])


def _read(path: Path, prefix: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors whose names begin with a prefix, without it, and the metadata."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, Any] = json.loads(file.metadata()["textgen"])
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
            tensors = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
    except FileNotFoundError:
        raise TextgenError(
            f"{path.parent} has no checkpoint yet: it is written at the first evaluation"
        ) from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        raise TextgenError(f"{path} is damaged: it is not a checkpoint of textgen") from None
    return tensors, metadata


def _fingerprint(vocab: Vocab | None) -> str | None:
    if vocab is None:
        return None
    return hashlib.sha256("\0".join((vocab.kind, *vocab.tokens)).encode()).hexdigest()
