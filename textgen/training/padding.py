"""Losses of batches whose rows are filled up: what they are filled up with is left out.

Shapes: B rows, T steps, E features, n places that have a target.
"""

from collections.abc import Iterator

from torch import Tensor, nn

from textgen.model.language_model import LanguageModel
from textgen.model.state import State


def without_padding(features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the features (B, T, E) and the targets (B, T) as one row: (1, n, E) and (1, n).

    A target below 0 is none.
    """
    there = targets >= 0
    return features[there.to(features.device)][None], targets[there][None]


class Padded:
    """A network as the loop trains it, where rows may end before their batch does.

    Args:
        model: the network.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def loss(self, x: Tensor, y: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Return the mean loss of the targets that there are, and the new state."""
        features, state = self._model.features(x, state)
        return self._model.cross_entropy(*without_padding(features, y)), state

    def parameters(self) -> Iterator[nn.Parameter]:
        """Return the network's."""
        return self._model.parameters()

    def train(self) -> None:
        """Turn dropout on."""
        self._model.train()
