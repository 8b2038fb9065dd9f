"""Examples with known answers, cut into mini-batches.

Shapes: N examples, B rows in a batch, T steps, I inputs a step.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from textgen.text.batches import Batch


@dataclass(frozen=True)
class Examples:
    """Sequences, each complete in itself, with their answers.

    Args:
        x: inputs (N, T, I), or ids (N, T).
        y: answers, (N, T), or (N, anything) where only the end is asked.
    """

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def split(self, count: int) -> tuple["Examples", "Examples"]:
        """Return the first so many examples, and the others."""
        return Examples(self.x[:count], self.y[:count]), Examples(self.x[count:], self.y[count:])


class ShuffledBatches:
    """Every example once in an epoch, in an order that follows from (seed, epoch) alone.

    Args:
        examples: the examples.
        batch_size: B; the last batch of an epoch may have fewer rows.
        seed: what the orders follow from.
    """

    pads = False

    def __init__(self, examples: Examples, batch_size: int, seed: int) -> None:
        self.examples = examples
        self.batch_size = batch_size
        self.seed = seed

    def goes_on(self, epoch: int, batch: int) -> bool:  # noqa: ARG002
        """Return that no sequence goes on in another batch."""
        return False

    def num_batches(self, epoch: int) -> int:  # noqa: ARG002 - epochs are alike here
        """Return how many batches an epoch has."""
        return -(-len(self.examples) // self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches (x, y), from batch number ``start`` on."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.examples))
        for chosen in torch.from_numpy(order).split(self.batch_size)[start:]:
            yield self.examples.x[chosen], self.examples.y[chosen]
