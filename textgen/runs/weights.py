"""What a checkpoint holds, read as numpy arrays: who writes with a run needs no torch.

The network's arrays are called ``model.<parameter>``, a gate's ``gate.<parameter>``.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from textgen.config import Cell, ModelConfig
from textgen.errors import TextgenError
from textgen.runs.format import FormatError, parse, require
from textgen.text.vocab import Vocab

Arrays = Mapping[str, NDArray[np.floating[Any]]]

METADATA = {
    **dict.fromkeys(("step", "epoch", "batch", "stale"), int),
    "vocab": str | None,
    "best_bits": float | None,
}
"""What a checkpoint tells beside its tensors, and of what type that is."""


class DamagedError(TextgenError):
    """A checkpoint that cannot be used, whatever it was."""


_NETWORKS = "networks."
"""What the names of weights begin with where there are several networks."""

GATES: dict[Cell, int] = {"lstm": 4, "gru": 3, "rnn": 1}
"""Of each kind of recurrent layer."""


@dataclass(frozen=True)
class Weights:
    """The weights that a run writes with."""

    network: Arrays

    gate: Arrays
    """What the counts are weighed with; nothing where the run has none."""

    step: int
    """The step that they are of."""


def read_weights(path: Path, vocab: Vocab, config: ModelConfig) -> Weights:
    """Return a checkpoint's weights.

    Raises:
        TextgenError: there is no checkpoint, it is damaged, or it is of another vocabulary or of
            a model of another shape.
    """
    arrays, metadata = read(path)
    network, gate = (_part(arrays, prefix) for prefix in ("model.", "gate."))
    require_vocab(path, metadata, vocab)
    require_shapes(path, network, shapes(len(vocab), config))
    return Weights(network, gate, metadata["step"])


def read(path: Path, prefix: str = "") -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays whose names begin with a prefix, without it, and the metadata.

    Raises:
        TextgenError: there is no checkpoint, or it is damaged.
    """
    try:
        data = path.read_bytes()  # not every safetensors takes every path
        metadata = parse(_header(data)["__metadata__"]["textgen"])
        require(metadata, {"step": int, "vocab": str | None}, missing=False)
        require(metadata, METADATA, missing=True)
        arrays = _part(load(data), prefix)
    except FileNotFoundError:
        raise TextgenError(
            "{folder} has no checkpoint yet: it is written soon after the first step",
            folder=path.parent,
        ) from None
    except FormatError as error:
        raise DamagedError(
            "{path} is damaged: its metadata {error}", path=path, error=error
        ) from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        raise DamagedError(
            "{path} is damaged: it is not a checkpoint of textgen", path=path
        ) from None
    for name, values in arrays.items():
        if values.dtype != np.float32:
            raise DamagedError(
                "{path} is damaged: {name} is {dtype}, not float32",
                path=path,
                name=prefix + name,
                dtype=values.dtype,
            )
        weight = (prefix + name).startswith(("model.", "gate."))
        if weight and not np.isfinite(values).all():
            raise DamagedError(
                "{path} has weights that are not finite, in {name}: nothing can be done "
                "with it; train again with a lower --learning-rate",
                path=path,
                name=prefix + name,
            )
    return arrays, metadata


def _header(data: bytes) -> dict[str, Any]:
    """Return what a safetensors file says of its tensors, by their names."""
    return parse(data[8 : 8 + int.from_bytes(data[:8], "little")].decode())


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {
        name.removeprefix(prefix): _wide(values)
        for name, values in arrays.items()
        if name.startswith(prefix)
    }


def require_model(path: Path, vocab_size: int, config: ModelConfig) -> None:
    """Refuse a checkpoint of another model before any memory is taken for one.

    Raises:
        TextgenError: it is of another one, or damaged.
    """
    if path.exists():
        arrays, _ = read(path, "model.")
        require_shapes(path, arrays, shapes(vocab_size, config))


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    """Return what was only rounded to take less room as it is computed with."""
    return values.astype(np.float32) if values.dtype == np.float16 else values


def fingerprint(vocab: Vocab | None) -> str | None:
    """Return what a checkpoint knows its vocabulary by."""
    if vocab is None:
        return None
    return hashlib.sha256("\0".join((vocab.kind, *vocab.tokens)).encode()).hexdigest()


def require_vocab(path: Path, metadata: dict[str, Any], vocab: Vocab | None) -> None:
    """Refuse a checkpoint of another vocabulary.

    Raises:
        TextgenError: it is one.
    """
    if metadata["vocab"] != fingerprint(vocab):
        raise TextgenError(
            "{path} was trained with another vocabulary than the vocab.json beside it; "
            "put the two together that belong together",
            path=path,
        )


def require_shapes(path: Path, found: Arrays, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse weights of another model.

    Raises:
        TextgenError: they are.
    """
    has = {name: values.shape for name, values in found.items()}
    if has != expected:
        name = next(name for name in {**expected, **has} if expected.get(name) != has.get(name))
        raise TextgenError(
            "{path} is of another model: {name} is {found} in it and "
            "{expected} in the model that the settings describe",
            path=path,
            name=name,
            found=has.get(name),
            expected=expected.get(name),
        )


def shapes(vocab_size: int, config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a language model's weights, as its modules have them."""
    one, count = _shapes_of_one(vocab_size, config), config.resolved().num_networks
    if count == 1:
        return one
    prefixes = [f"{_NETWORKS}{number}." for number in range(count)]
    return {prefix + name: shape for prefix in prefixes for name, shape in one.items()}


def of_each_network(weights: Arrays) -> list[Arrays]:
    """Return the weights of each of a model's networks, by the names that one alone gives them."""
    if not any(name.startswith(_NETWORKS) for name in weights):
        return [weights]
    count = len({name.split(".")[1] for name in weights})
    return [_part(weights, f"{_NETWORKS}{number}.") for number in range(count)]


def _shapes_of_one(vocab_size: int, config: ModelConfig) -> dict[str, tuple[int, ...]]:
    resolved = config.resolved()
    hidden_size, embedding_size = resolved.hidden_size, resolved.embedding_size
    tied = config.tie and embedding_size > 0
    num_features = embedding_size if tied else hidden_size
    found: dict[str, tuple[int, ...]] = {}
    if embedding_size:
        found["embedding.weight"] = (vocab_size, embedding_size)
    gates = GATES[config.cell] * hidden_size
    for layer in range(config.num_layers):
        width = hidden_size if layer else embedding_size or vocab_size
        found |= {
            f"rnn.weight_ih_l{layer}": (gates, width),
            f"rnn.weight_hh_l{layer}": (gates, hidden_size),
            f"rnn.bias_ih_l{layer}": (gates,),
            f"rnn.bias_hh_l{layer}": (gates,),
        }
    if tied and hidden_size != embedding_size:
        found |= {
            "projection.weight": (embedding_size, hidden_size),
            "projection.bias": (embedding_size,),
        }
    if config.shortcut and embedding_size:
        found["shortcut.weight"] = (num_features, embedding_size)
    if not tied:
        found["output.weight"] = (vocab_size, num_features)
    return found | {"output.bias": (vocab_size,)}
