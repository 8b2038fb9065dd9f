"""Checkpoints: weights, and all that going on from exactly there needs, in one safetensors file.

The model's tensors are called ``model.<parameter>`` and are the same for both models; those of a
gate that learned beside it are called ``gate.<parameter>``. Nothing is pickled, so loading runs no
code.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn

from textgen.files import write_atomically
from textgen.runs.progress import Position, Progress
from textgen.runs.weights import Arrays, fingerprint, read, require_shapes, require_vocab
from textgen.text.vocab import Vocab


def save_checkpoint(
    path: Path,
    model: nn.Module,
    position: Position,
    progress: Progress,
    optimizer: torch.optim.Optimizer | None = None,
    vocab: Vocab | None = None,
    gate: nn.Module | None = None,
    gate_optimizer: torch.optim.Optimizer | None = None,
) -> None:
    """Write weights and position, and with optimisers all that a resume needs.

    A model of a language is written with its vocabulary, and only loads with the same one.
    """
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("model", model), ("gate", gate)):
        if module is not None:
            tensors |= {f"{prefix}.{name}": value for name, value in module.named_parameters()}
    if optimizer is not None:
        tensors |= {f"state.{i}": part for i, part in enumerate(position.state or ())}
    for prefix, one in (("optimizer", optimizer), ("gate_optimizer", gate_optimizer)):
        if one is not None:
            for i, values in one.state_dict()["state"].items():
                tensors |= {f"{prefix}.{i}.{name}": value for name, value in values.items()}
    metadata = {
        "vocab": fingerprint(vocab),
        "step": position.step,
        "epoch": position.epoch,
        "batch": position.batch,
        "best_bits": progress.best_bits,
        "stale": progress.stale,
    }
    data = save(
        {name: value.detach().contiguous() for name, value in tensors.items()},
        {"textgen": json.dumps(metadata)},
    )
    write_atomically(path, data)


def load_weights(
    path: Path, model: nn.Module, vocab: Vocab | None = None, gate: nn.Module | None = None
) -> int:
    """Load a checkpoint's weights into a model and its gate, and return the step they are of.

    Raises:
        TextgenError: there is no checkpoint, it is damaged, or it is of another vocabulary or of
            a model of another shape.
    """
    arrays, metadata = read(path, "model.")
    require_vocab(path, metadata, vocab)
    fill(model, arrays, path)
    if gate is not None:
        fill(gate, read(path, "gate.")[0], path)
    step: int = metadata["step"]
    return step


def fill(module: nn.Module, arrays: Arrays, path: Path) -> None:
    """Copy what a checkpoint at a path holds into a module's parameters.

    Raises:
        TextgenError: it is of a model of another shape.
    """
    parameters = dict(module.named_parameters())
    shapes = {name: tuple(value.shape) for name, value in parameters.items()}
    require_shapes(path, arrays, shapes)
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.from_numpy(arrays[name]))


def arrays_of(module: nn.Module) -> dict[str, NDArray[np.floating[Any]]]:
    """Return a module's parameters as arrays; on the processor they share their memory with it."""
    return {name: value.detach().cpu().numpy() for name, value in module.named_parameters()}


def load_training(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    vocab: Vocab | None = None,
    gate: nn.Module | None = None,
    gate_optimizer: torch.optim.Optimizer | None = None,
) -> tuple[Position, Progress]:
    """Load a checkpoint to go on from exactly there; where there is none yet, start anew."""
    if not path.exists():
        return Position(), Progress()
    load_weights(path, model, vocab, gate)
    _load_moments(path, "optimizer.", optimizer)
    if gate_optimizer is not None:
        _load_moments(path, "gate_optimizer.", gate_optimizer)
    device = next(model.parameters()).device
    parts, metadata = read(path, "state.")
    state = tuple(torch.from_numpy(parts[str(i)]).to(device) for i in range(len(parts))) or None
    position = Position(metadata["step"], metadata["epoch"], metadata["batch"], state)
    return position, Progress(metadata["best_bits"], metadata["stale"])


def _load_moments(path: Path, prefix: str, optimizer: torch.optim.Optimizer) -> None:
    """Load what an optimiser remembers of each parameter."""
    moments = {name: torch.from_numpy(one) for name, one in read(path, prefix)[0].items()}
    state_dict = optimizer.state_dict()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for name, value in moments.items():
        index, key = name.split(".")
        # A fused optimiser trusts that they lie in memory as their parameter does.
        laid_out = torch.empty_like(parameters[int(index)]).copy_(value) if value.dim() else value
        state_dict["state"].setdefault(int(index), {})[key] = laid_out
    optimizer.load_state_dict(state_dict)
