"""What recurrent layers remember of what they have read: it goes in and comes out."""

from torch import Tensor

State = tuple[Tensor, ...]
"""Tensors (L, B, H): hidden state and memory for an LSTM, for others the hidden state alone."""


def detach(state: State | None) -> State | None:
    """Return the state without its history: the gradient stops here."""
    return state and tuple(part.detach() for part in state)
