"""The networks of a model, one or several, over one token of each text: see ``network.py``.

Shapes: B texts, V vocabulary, K networks, F features of one network.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from textgen.config import Cell
from textgen.runs.weights import of_each_network
from textgen.writing.network import Array, Network, State


class Ensemble:
    """Networks that speak together: the mean of their logits, as in ``textgen/model/ensemble.py``.

    Args:
        weights: by the names of the modules' parameters; they stay as they are.
        cell: the kind of the networks' recurrent layers.
        silent: the ids of tokens that are never said: their logits are minus infinity.
    """

    def __init__(
        self, weights: Mapping[str, Array], cell: Cell, silent: Sequence[int] = ()
    ) -> None:
        self._networks = [
            Network({**one, "output.bias": _silenced(one["output.bias"], silent)}, cell)
            for one in of_each_network(weights)
        ]

    def begin(self, count: int = 1) -> State:
        """Return the state of zeros before the first token of B texts."""
        return tuple(layer for one in self._networks for layer in one.begin(count))

    def advance(self, tokens: Sequence[int], state: State) -> State:
        """Return the state after a token of each text: no more than that."""
        after = (one.advance(tokens, own) for one, own in self._each(state))
        return tuple(layer for own in after for layer in own)

    def features(self, tokens: Sequence[int], state: State) -> Array:
        """Return what the output layers read, (B, K F): of the tokens, and the state after them."""
        found = [one.features(tokens, own) for one, own in self._each(state)]
        return found[0] if len(found) == 1 else np.concatenate(found, axis=1)

    def logits(self, features: Array) -> Array:
        """Return the logits of the next tokens, (B, V)."""
        first, *others = np.split(features, len(self._networks), axis=1)
        logits = self._networks[0].logits(first)
        for network, own in zip(self._networks[1:], others, strict=True):
            logits += network.logits(own)
        if others:
            logits /= len(self._networks)
        return logits

    def _each(self, state: State) -> Iterator[tuple[Network, State]]:
        """Yield each network with its part of the state."""
        layers = iter(state)
        for network in self._networks:
            yield network, tuple(next(layers) for _ in range(network.num_layers))


def _silenced(bias: Array, silent: Sequence[int]) -> Array:
    """Return the output's bias with which some tokens are never said.

    It costs nothing there; a mask over the logits would cost time at every step.
    """
    bias = bias.copy()
    bias[list(silent)] = -np.inf
    return bias
