"""What recurrent layers remember of what they have read: it goes in and comes out.

Shapes: L layers (twice as many where they read in both directions), B batch, H hidden size.
"""

from collections.abc import Sequence

from torch import Tensor

State = tuple[Tensor, ...]
"""Tensors (L, B, H): hidden state and memory for an LSTM, for others the hidden state alone."""


def zeros(widths: Sequence[int], num_layers: int, batch_size: int, like: Tensor) -> State:
    """Return the state before anything is read.

    Args:
        widths: H of each tensor.
        num_layers: L.
        batch_size: B.
        like: a tensor of the wanted type, on the wanted device.
    """
    return tuple(like.new_zeros(num_layers, batch_size, width) for width in widths)


def detach(state: State | None) -> State | None:
    """Return the state without its history: the gradient stops here."""
    return state and tuple(part.detach() for part in state)
