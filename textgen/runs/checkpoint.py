"""Checkpoints: weights, and all that going on from exactly there needs, in one safetensors file.

The model's tensors are called ``model.<parameter>`` and are the same for both models; those of a
gate that learned beside it are called ``gate.<parameter>``. Nothing is pickled, so loading runs no
code.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn

from textgen.files import write_atomically
from textgen.runs.format import FormatError, require
from textgen.runs.progress import Position, Progress
from textgen.runs.record import Entry, as_entry
from textgen.runs.weights import (
    METADATA,
    Arrays,
    DamagedError,
    fingerprint,
    read,
    require_shapes,
    require_vocab,
)
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
    pending: Entry | None = None,
) -> None:
    """Write weights and position, and with optimisers all that a resume needs.

    What is pending is the entry of the record for these steps, where the evaluation that belongs
    into it is still to come.

    A model of a language is written with its vocabulary, and only loads with the same one.
    """
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("model", model), ("gate", gate)):
        if module is not None:
            tensors |= {f"{prefix}.{name}": value for name, value in module.named_parameters()}
    if optimizer is not None:
        tensors |= {f"state.{i}": part for i, part in enumerate(position.state or ())}
    optimizers = (("optimizer", model, optimizer), ("gate_optimizer", gate, gate_optimizer))
    for prefix, module, one in optimizers:
        if module is not None and one is not None:
            for name, parameter in module.named_parameters():
                moments = one.state.get(parameter, {})
                tensors |= {f"{prefix}.{name}.{key}": value for key, value in moments.items()}
    metadata = {
        "vocab": fingerprint(vocab),
        "step": position.step,
        "epoch": position.epoch,
        "batch": position.batch,
        "best_bits": progress.best_bits,
        "stale": progress.stale,
        "pending": pending,
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
) -> tuple[Position, Progress, Entry | None]:
    """Load a checkpoint to go on from exactly there; where there is none yet, start anew.

    Returns:
        Where the training stands, how it went, and what was pending, as ``save_checkpoint`` has it.

    Raises:
        TextgenError: as ``load_weights``, or what the optimiser remembers is of other weights.
    """
    if not path.exists():
        return Position(), Progress(), None
    load_weights(path, model, vocab, gate)
    _load_moments(path, "optimizer.", model, optimizer)
    if gate is not None and gate_optimizer is not None:
        _load_moments(path, "gate_optimizer.", gate, gate_optimizer)
    device = next(model.parameters()).device
    parts, metadata = read(path, "state.")
    try:
        require(metadata, METADATA, missing=False)
    except FormatError as error:
        raise DamagedError(f"{path} is damaged: its metadata {error}") from None
    if math.isnan(metadata["best_bits"] or 0.0):
        raise DamagedError(f"{path} is damaged: its metadata has NaN as best_bits")
    if parts.keys() != {str(i) for i in range(len(parts))}:
        raise DamagedError(f"{path} is damaged: the state in it is not whole")
    state = tuple(torch.from_numpy(parts[str(i)]).to(device) for i in range(len(parts))) or None
    position = Position(metadata["step"], metadata["epoch"], metadata["batch"], state)
    pending = metadata.get("pending")
    progress = Progress(metadata["best_bits"], metadata["stale"])
    return position, progress, None if pending is None else as_entry(pending, path)


def _load_moments(
    path: Path, prefix: str, module: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Load what an optimiser remembers of each parameter; one that remembers nothing leaves it.

    Raises:
        TextgenError: it is of other parameters.
    """
    if "betas" not in optimizer.defaults:
        return
    found: dict[str, dict[str, Tensor]] = {}
    for name, values in read(path, prefix)[0].items():
        parameter_name, _, key = name.rpartition(".")
        found.setdefault(parameter_name, {})[key] = torch.from_numpy(values)
    parameters = dict(module.named_parameters())
    if found and all(name.isdecimal() for name in found):
        found = _named(found, parameters)
    if found and not _fits(found, parameters):
        raise DamagedError(f"{path} is damaged: what the optimiser remembers is of other weights")
    places = {
        parameter: place
        for place, parameter in enumerate(p for g in optimizer.param_groups for p in g["params"])
    }
    state_dict = optimizer.state_dict()
    for name, moments in found.items():
        parameter = parameters[name]
        state_dict["state"][places[parameter]] = {
            # A fused optimiser trusts that they lie in memory as their parameter does.
            key: torch.empty_like(parameter).copy_(value) if value.dim() else value
            for key, value in moments.items()
        }
    optimizer.load_state_dict(state_dict)


_MOMENTS = {"step", "exp_avg", "exp_avg_sq"}


def _fits(found: dict[str, dict[str, Tensor]], parameters: dict[str, nn.Parameter]) -> bool:
    """Return whether moments are those of such parameters."""
    return all(
        name in parameters
        and moments.keys() == _MOMENTS
        and moments["step"].dim() == 0
        and all(moments[key].shape == parameters[name].shape for key in ("exp_avg", "exp_avg_sq"))
        for name, moments in found.items()
    )


def _named(
    found: dict[str, dict[str, Tensor]], parameters: dict[str, nn.Parameter]
) -> dict[str, dict[str, Tensor]]:
    """Return by name the moments of a checkpoint that was made when they had numbers.

    Those were the places in the optimiser's groups: the matrices first, where weights decayed. The
    two orders first differ where one has a matrix and the other none, so at most one fits.
    """
    plain = list(parameters)
    matrices_first = sorted(plain, key=lambda name: parameters[name].dim() <= 1)
    for order in (plain, matrices_first):
        if all(int(place) < len(order) for place in found):
            named = {order[int(place)]: moments for place, moments in found.items()}
            if _fits(named, parameters):
                return named
    return found
