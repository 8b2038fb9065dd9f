"""The network of the small tasks: recurrent layers and a linear output.

Shapes: B batch, T steps, I inputs a step, H hidden size, O outputs.
"""

from collections.abc import Callable

from torch import Tensor, nn

from textgen.model.state import State

Criterion = Callable[[Tensor, Tensor], Tensor]
"""Outputs and answers of one shape to their mean loss, as in ``torch.nn.functional``."""


class Network(nn.Module):
    """Recurrent layers, and what is made of their hidden states.

    Args:
        rnn: the layers, see ``textgen.model.framework``.
        output: what a hidden state (H) goes through: ``nn.Linear(H, O)``, or ``nn.Identity()``.
        criterion: the loss.
        only_last: whether the last step alone is asked.
    """

    def __init__(
        self, rnn: nn.Module, output: nn.Module, criterion: Criterion, *, only_last: bool = False
    ) -> None:
        super().__init__()
        self.rnn = rnn
        self.output = output
        self.criterion = criterion
        self.only_last = only_last

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return outputs (B, T, O), or (B, O) of the last step alone, and the new state."""
        hidden, new_state = self.rnn(x, state)
        return self.output(hidden[:, -1] if self.only_last else hidden), new_state

    def outputs(self, x: Tensor) -> Tensor:
        """Return the outputs alone, from a state of zeros."""
        outputs: Tensor = self(x)[0]
        return outputs

    def loss(self, x: Tensor, y: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return the mean loss against the answers y, and the new state."""
        outputs, new_state = self(x, state)
        return self.criterion(outputs, y), new_state
