"""What recurrent layers remember of what they have read: it goes in and comes out.

Shapes: L layers, B batch, H hidden size.
"""

from torch import Tensor

State = tuple[Tensor, ...]
"""Tensors (L, B, H): hidden state and memory for an LSTM, for others the hidden state alone."""


def zeros(parts: int, shape: tuple[int, int, int], like: Tensor) -> State:
    """Return the state before anything is read: so many tensors of zeros.

    Args:
        parts: 2 for an LSTM, 1 for others.
        shape: (L, B, H).
        like: a tensor of the wanted type, on the wanted device.
    """
    return (like.new_zeros(shape),) * parts


def detach(state: State | None) -> State | None:
    """Return the state without its history: the gradient stops here."""
    return state and tuple(part.detach() for part in state)
