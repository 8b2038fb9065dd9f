"""Several networks of one kind that learn each for itself and speak together.

Where a text is gone through often, each network knows some of it by heart, and each something else.
Their logits' mean, that is the geometric mean of their probabilities, keeps what they agree on:
ensembles, Hansen & Salamon (1990); the mean of logits, a product of experts, Hinton (2002). Two
share nothing, not even the embedding: what they share, they learn by heart together.

Shapes: B batch, T steps, V vocabulary, K networks, F features of one network.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from textgen.config import ModelConfig
from textgen.model.language_model import LanguageModel
from textgen.model.network import MODELS, Network
from textgen.model.state import State


class Ensemble(LanguageModel):
    """K networks; their features and their states stand one after the other.

    Args:
        vocab_size: V.
        config: the shape of each, and K.
    """

    def __init__(self, vocab_size: int, config: ModelConfig) -> None:
        super().__init__(vocab_size, config)
        one = replace(config, num_networks=1)
        networks = [
            MODELS[config.model](vocab_size, one) for _ in range(self.resolved.num_networks)
        ]
        self.networks = nn.ModuleList(networks)
        self._networks: list[Network] = networks  # as what they are

    @property
    def num_features(self) -> int:
        """K F."""
        return sum(network.num_features for network in self._networks)

    def require_one_direction(self) -> None:
        """Refuse nothing: layers that are not ready-made read in one direction."""

    def begin_state(self, batch_size: int, device: torch.device | str | None = None) -> State:
        """Return the networks' states of zeros, one after the other."""
        begun = (network.begin_state(batch_size, device) for network in self._networks)
        return tuple(part for state in begun for part in state)

    def features(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return what the networks' output layers read, (B, T, K F), and the new state."""
        count = len(self._networks)
        features: list[Tensor] = []
        after: list[Tensor] = []
        for number, network in enumerate(self._networks):
            parts = len(state) // count if state else 0
            own = state[number * parts : (number + 1) * parts] if state else None
            found, new_state = network.features(tokens, own)
            features.append(found)
            after += new_state
        return torch.cat(features, dim=-1), tuple(after)

    def logits(self, features: Tensor) -> Tensor:
        """Return the mean of the networks' logits, (..., V)."""
        return torch.stack([one.logits(read) for one, read in self._each(features)]).mean(dim=0)

    def cross_entropy(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the mean of the networks' cross-entropies: each learns as if it were alone."""
        losses = [one.cross_entropy(read, targets) for one, read in self._each(features)]
        return torch.stack(losses).mean()

    def expect(self, occurring: Tensor) -> None:
        """Begin with the frequencies of a text; see ``LanguageModel``."""
        for network in self._networks:
            network.expect(occurring)

    def take_rows(self, among: tuple[int, slice] | None) -> None:
        """Drop what is dropped as one process does; see ``LanguageModel``."""
        for network in self._networks:
            network.take_rows(among)

    def _each(self, features: Tensor) -> list[tuple[Network, Tensor]]:
        """Return each network and its part of the features."""
        parts = features.chunk(len(self._networks), dim=-1)
        return list(zip(self._networks, parts, strict=True))
