"""Whole numbers as sequences of bits.

Shapes: N numbers, W bits in each.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Numbers = NDArray[np.int64]


def to_bits(numbers: Numbers, width: int) -> Tensor:
    """Return the bits (N, W) of numbers (N,), the least significant first, as floats 0 and 1."""
    return torch.from_numpy(numbers[:, None] >> np.arange(width) & 1).float()


def to_numbers(bits: Tensor) -> Numbers:
    """Undo ``to_bits``; W is at most 62."""
    numbers: Numbers = bits.long().numpy() @ (1 << np.arange(bits.shape[1]))
    return numbers
