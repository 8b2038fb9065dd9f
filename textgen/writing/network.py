"""The network's step over one token of each text, in numpy: who only writes needs no torch.

Every text has products of its own, a matrix times a vector, added up in one order. So it comes out
the same to the last bit alone, among any number of texts, and in any order. All texts in one
product would be written some three times as fast; but no library promises that a row of a product
does not depend on how many rows there are. What can be shared is the way to the matrix: it is taken
in blocks that stay in the processor's cache while text after text is multiplied with them.

Shapes: B texts, V vocabulary, E embedding size, H hidden size, F features that the output reads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textgen.config import Cell
from textgen.runs.weights import GATES

Array = NDArray[np.floating[Any]]

_NOTHING: Array = np.zeros(0)

State = tuple[tuple[Array, ...], ...]
"""Of each layer the hidden state (B, H), and an LSTM's memory (B, H)."""

_BLOCK = 2**17
"""Numbers of a matrix that are multiplied with every text in turn: 512 KB in float32."""

_REMEMBERED = 4096
"""Tokens whose part of the first layer's gates is kept, once it was computed."""


@dataclass(frozen=True)
class _Layer:
    """A recurrent layer's weights, G gates after each other."""

    of_input: Array
    """(G H, E), or (G H, H) above another layer."""

    bias: Array
    """What is added to the input's part of the gates, (G H,)."""

    of_hidden: Array
    """(G H, H)."""

    bias_of_hidden: Array
    """What is added to the hidden state's part: only a GRU tells the two apart, (G H,)."""

    down: Array | None
    """What the hidden state is brought down by, for an LSTM with a projection, (P, H)."""


class Network:
    """A language model's network.

    Args:
        weights: by the names of the modules' parameters; they are used as they are.
        cell: the kind of its recurrent layers.
    """

    def __init__(self, weights: Mapping[str, Array], cell: Cell) -> None:
        self._cell = cell
        self._step = _STEPS[cell]
        count = sum(name.startswith("rnn.weight_hh") for name in weights)
        self._layers = [self._layer(weights, f"_l{layer}") for layer in range(count)]
        self._embedding = weights.get("embedding.weight")
        self._shortcut = weights.get("shortcut.weight")
        self._projection = weights.get("projection.weight"), weights.get("projection.bias")
        self._bias = weights["output.bias"]
        tied = "output.weight" not in weights
        self._output = weights["embedding.weight" if tied else "output.weight"]
        self.of_token = lru_cache(_REMEMBERED)(self._of_token)
        """What a token alone tells the first layer's gates, and by the shortcut the features."""

    @property
    def num_layers(self) -> int:
        """Recurrent layers."""
        return len(self._layers)

    @property
    def num_features(self) -> int:
        """F."""
        return int(self._output.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """What is computed in."""
        return self._bias.dtype

    def begin(self, count: int = 1) -> State:
        """Return the state of zeros before the first token of B texts."""
        parts = 2 if self._cell == "lstm" else 1
        state = []
        for layer in self._layers:
            memory = np.zeros((count, layer.of_hidden.shape[0] // GATES[self._cell]), self.dtype)
            hidden = np.zeros((count, layer.of_hidden.shape[1]), self.dtype)
            state.append((hidden, memory)[:parts])
        return tuple(state)

    def advance(self, tokens: Sequence[int], state: State) -> State:
        """Return the state after a token of each text: no more than that."""
        x = np.stack([self.of_token(token)[0] for token in tokens])
        after: list[tuple[Array, ...]] = []
        for number, (layer, before) in enumerate(zip(self._layers, state, strict=True)):
            if number:
                x = products(layer.of_input, after[-1][0]) + layer.bias
            after.append(self._step(x, before, layer))
        return tuple(after)

    def features(self, tokens: Sequence[int], state: State) -> Array:
        """Return what the output layer reads, (B, F), from the state after the tokens, and them."""
        features = state[-1][0]
        weight, bias = self._projection
        if weight is not None and bias is not None:
            features = products(weight, features) + bias
        if self._shortcut is not None:
            features = features + np.stack([self.of_token(token)[1] for token in tokens])
        return features

    def logits(self, features: Array) -> Array:
        """Return the logits of the next tokens, (B, V)."""
        logits = products(self._output, features)
        logits += self._bias
        return logits

    def _layer(self, weights: Mapping[str, Array], name: str) -> _Layer:
        of_hidden = weights[f"rnn.weight_hh{name}"]
        none = np.zeros(len(of_hidden), of_hidden.dtype)
        bias, bias_of_hidden = (
            weights.get(f"rnn.{part}{name}", none) for part in ("bias_ih", "bias_hh")
        )
        if self._cell != "gru":
            bias, bias_of_hidden = bias + bias_of_hidden, none
        down = weights.get(f"rnn.weight_hr{name}")
        return _Layer(weights[f"rnn.weight_ih{name}"], bias, of_hidden, bias_of_hidden, down)

    def _of_token(self, token: int) -> tuple[Array, Array]:
        first = self._layers[0]
        if self._embedding is None:  # one-hot: a column of the weights
            return first.of_input[:, token] + first.bias, _NOTHING
        vector = self._embedding[token]
        shortcut = _NOTHING if self._shortcut is None else self._shortcut @ vector
        return first.of_input @ vector + first.bias, shortcut


def _lstm_step(x: Array, before: tuple[Array, ...], layer: _Layer) -> tuple[Array, ...]:
    """Return hidden state and memory; the equations stand in ``textgen/model/lstm.py``."""
    h, c = before
    gates = _parts(x + products(layer.of_hidden, h), 4)
    g = np.tanh(gates[2])
    i, f, _, o = _sigmoid(gates)
    c = f * c + i * g
    h = o * np.tanh(c)
    return (h if layer.down is None else products(layer.down, h)), c


def _gru_step(x: Array, before: tuple[Array, ...], layer: _Layer) -> tuple[Array, ...]:
    """Return the hidden state; the equations stand in ``textgen/model/gru.py``."""
    (h,) = before
    r_x, z_x, n_x = _parts(x, 3)
    r_h, z_h, n_h = _parts(products(layer.of_hidden, h) + layer.bias_of_hidden, 3)
    r, z = _sigmoid(r_x + r_h), _sigmoid(z_x + z_h)
    n = np.tanh(n_x + r * n_h)
    return ((1 - z) * n + z * h,)


def _rnn_step(x: Array, before: tuple[Array, ...], layer: _Layer) -> tuple[Array, ...]:
    """Return the hidden state; the equation stands in ``textgen/model/rnn.py``."""
    (h,) = before
    return (np.tanh(x + products(layer.of_hidden, h)),)


_STEPS: dict[Cell, Callable[[Array, tuple[Array, ...], _Layer], tuple[Array, ...]]] = {
    "lstm": _lstm_step,
    "gru": _gru_step,
    "rnn": _rnn_step,
}


def products(matrix: Array, vectors: Array) -> Array:
    """Return the matrix (M, N) times each of the vectors (B, N), one by one: (B, M)."""
    found = np.empty((len(vectors), len(matrix)), matrix.dtype)
    rows = max(1, _BLOCK // matrix.shape[1])
    for first in range(0, len(matrix), rows):
        block = slice(first, first + rows)
        np.matmul(matrix[block], vectors[:, :, None], out=found[:, block, None])
    return found


def _parts(x: Array, count: int) -> Array:
    """Return the gates of (B, G H) one after the other, (G, B, H)."""
    return x.reshape(len(x), count, -1).swapaxes(0, 1)


def _sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), by the tangent, which never overflows."""
    sigmoid: Array = 0.5 * np.tanh(0.5 * x) + 0.5
    return sigmoid
