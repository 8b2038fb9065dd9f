"""The gate, learned beside the network from the batches that the network learns from.

The network learns exactly as it does without: it is told nothing of the gate, and what the gate
draws at random comes from a generator of its own. It is learned meanwhile, not afterwards: a gate
that is fitted to a network which knows the text by heart trusts it too much. For the same reason
its learning rate falls to 0 within the first passes over the text.

Shapes: B rows, T steps, N tokens of the training text, E features, V vocabulary.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from textgen.config import TrainingConfig
from textgen.counts.excerpt import Excerpt
from textgen.counts.learned import NOTHING
from textgen.counts.product import Counts
from textgen.counts.reading import Blocks
from textgen.model.language_model import LanguageModel
from textgen.model.precision import choose_dtype
from textgen.model.state import State
from textgen.text.tokens import Tokens
from textgen.text.vocab import TokenIds
from textgen.training.eager import Adam
from textgen.training.padding import without_padding

_LENGTHS, _PASSES = (200_000, 1_000_000), (4.0, 12.0)
"""Passes over texts of so many tokens in which the gate learns at most: the longer a text, the
later it is known by heart."""

_SHARE = 0.65
"""Of a long training in which it learns: at its end, as the learning rate falls, the network learns
most by heart."""

_EVERY, _EVERY_OF_FEW = 8, 2
"""It learns from one batch of so many, which takes a fifteenth of the time; where there are few
tokens, as of letters, that takes less, and it learns from more of them."""

_FEW = 1024
"""Tokens that are few."""

_LEAST = 300
"""Batches that it learns from at least, where the network has so many."""

_ROWS, _STRETCH = 8, 16
"""Of such a batch, this many rows, and of each of them so many places next to each other."""

_HIDDEN = 0.15
"""Share of the rows at which nothing of what was read lately counts: so that it also knows how to
do without."""

_LEARNING_RATE = 4e-3
_WARMUP = 20
"""Batches in which the learning rate rises."""


def gate_passes(length: int, passes: float) -> float:
    """Return in how many of a training's passes, over a text of so many tokens, its gate learns."""
    most = float(np.interp(np.log(length), np.log(_LENGTHS), _PASSES))
    return min(most, max(_PASSES[0], _SHARE * passes), passes)


class GateLearner:
    """The network as the loop trains it, its batches places of the text, and the gate beside it.

    Args:
        model: the network.
        counts: of the training text; the gate is changed in place.
        tokens: the training text, ids (N,).
        config: how the network is trained.
        excerpt: what of the text was counted.
        earlier: what was counted before it, ids (E,).
        items: whether the text is one of items. Then y may be below 0 where a row has ended, and
            what was read lately, which is other items, never counts.
    """

    def __init__(
        self,
        model: LanguageModel,
        counts: Counts,
        tokens: Tokens,
        config: TrainingConfig,
        excerpt: Excerpt,
        earlier: TokenIds = NOTHING,
        *,
        items: bool = False,
    ) -> None:
        self.counts = counts
        self.optimizer = Adam(counts.product.parameters(), lr=_LEARNING_RATE, betas=(0.9, 0.99))
        self._model = model
        self._tokens = tokens
        self._excerpt = excerpt
        self._items = items
        counted = excerpt.take(tokens)
        if len(earlier):  # of a long text, a copy is tens of megabytes
            counted = np.concatenate([earlier, counted])
        self._blocks = Blocks(counted, counts.learned.histories, earlier=len(earlier))
        self._seed = config.seed
        self._device = model.device
        dtype = choose_dtype(config.precision, model.parameters())
        self._autocast = torch.autocast(
            self._device.type, torch.bfloat16, enabled=dtype == torch.bfloat16
        )
        self._batch: tuple[Tensor, Tensor] | None = None

    def loss(self, x: Tensor, y: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Return the network's loss of a batch of places (B, T), and the new state."""
        features, state = self._model.features(self._at(x), state)
        if self._items:
            features, y = without_padding(features, y)
        self._batch = features.detach(), y
        return self._model.cross_entropy(features, self._at(y)), state

    def _at(self, places: Tensor) -> Tensor:
        """Return the tokens at places of any shape, on the model's device."""
        return torch.as_tensor(self._tokens[places.numpy()], device=self._device)

    def parameters(self) -> Iterator[nn.Parameter]:
        """Return the network's: the gate has an optimiser of its own."""
        return self._model.parameters()

    def train(self) -> None:
        """Turn dropout on."""
        self._model.train()

    def learn(self, step: int, steps: int) -> None:
        """Learn from the batch that ``loss`` saw last, if it is this one's turn.

        Args:
            step: the number of steps done.
            steps: those in which the gate learns.
        """
        usual = _EVERY if self._model.vocab_size > _FEW else _EVERY_OF_FEW
        every = max(1, min(usual, steps // _LEAST))
        if step > steps or step % every or self._batch is None:
            return
        features, y = self._batch
        if self._items:  # it is one row: cut into stretches
            whole = y.shape[1] // _STRETCH
            y = y[0, : whole * _STRETCH].view(whole, _STRETCH)
            features = features[0, : whole * _STRETCH].view(whole, _STRETCH, features.shape[2])
        generator = np.random.default_rng((self._seed, step))
        order = generator.permutation(len(y))
        first = int(generator.integers(max(1, y.shape[1] - _STRETCH + 1)))
        columns = slice(first, first + _STRETCH)
        where, counted = self._excerpt.find(y[:, columns].numpy())
        rows = np.sort(order[np.all(counted, axis=1)[order]][:_ROWS])
        if len(rows) == 0:
            return
        hidden = generator.random(len(rows)) < (1.0 if self._items else _HIDDEN)
        places = y[rows][:, columns]
        experts = self.counts.learned.consult(
            self._blocks.seen(where[rows].flatten(), hidden.repeat(places.shape[1]))
        )
        for group in self.optimizer.param_groups:
            rising = min(1.0, step / every / _WARMUP)
            group["lr"] = _LEARNING_RATE * rising * (1 - (step - 1) / steps)
        features = features[rows][:, columns].flatten(0, 1)
        with torch.no_grad(), self._autocast:
            logits = self._model.logits(features).float()
        told, _ = self.counts.product.judge(
            features.float(), logits, experts, self._at(places).flatten().long()
        )
        self.optimizer.zero_grad(set_to_none=True)
        told.mean().neg().backward()
        self.optimizer.step()
