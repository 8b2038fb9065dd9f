"""What the layers from scratch share: all but the equations of a step.

Shapes: B batch, T steps, I input size, H hidden size, G gates, L layers, D directions (1 or 2).

As ``torch.nn``'s, layers stand on top of each other, can read a sequence in both directions, and
take packed sequences. Parameters have torch's names, shapes and order of gates, so that the two
can load each other's. The second bias of LSTM and RNN is one too many (only the sum of both
counts) and is there for that reason alone.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, overload

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from textgen.model.state import State, zeros

Step = Callable[[Tensor, State], State]
"""From the input's part of the gates (B, G H) and the state before, each tensor (B, H), to the
state after; its first tensor is what the layer puts out."""


@dataclass(frozen=True)
class Weights:
    """Of one layer in one direction."""

    of_input: Tensor
    """W_x of all gates, (G H, I)."""

    of_hidden: Tensor
    """W_h of all gates, (G H, H); of the LSTM's gates (G H, P) where there is a projection."""

    bias_ih: Tensor
    """Added to the input's part, (G H,); zeros where there is none."""

    bias_hh: Tensor
    """Added to the hidden state's part, (G H,); zeros where there is none."""

    of_projection: Tensor | None
    """What the hidden state of an LSTM goes through, (P, H), if there is any."""


class RecurrentLayers(nn.Module, ABC):
    """Recurrent layers; the subclasses know how to go through the steps.

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: L.
        bias: whether there are biases.
        batch_first: whether inputs and outputs are (B, T, ...), as everywhere here, or (T, B, ...),
            as torch has it when not told otherwise.
        dropout: share of the values dropped between two layers in training.
        bidirectional: whether a second layer beside each reads from the end to the beginning.
        proj_size: P, values that an LSTM's hidden state is brought down to; 0 leaves it alone.
        recurrent_dropout: share of the units that are not heard at the next step in training.

    Raises:
        ValueError: there is a projection that is not smaller than H, or not of an LSTM.
    """

    num_gates: ClassVar[int]
    """G."""

    num_parts: ClassVar[int]
    """Tensors in the state."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= proj_size < hidden_size or (proj_size and self.num_parts == 1):
            raise ValueError(
                f"proj_size is {proj_size}: it must be 0, or in an LSTM below hidden_size, "
                f"which is {hidden_size}"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self.recurrent_dropout = recurrent_dropout
        self._directions = ("", "_reverse") if bidirectional else ("",)
        output_size, rows = proj_size or hidden_size, self.num_gates * hidden_size
        for layer in range(num_layers):
            size = input_size if layer == 0 else output_size * len(self._directions)
            for direction in self._directions:
                name = f"_l{layer}{direction}"
                self._add(f"weight_ih{name}", rows, size)
                self._add(f"weight_hh{name}", rows, output_size)
                if bias:
                    self._add(f"bias_ih{name}", rows)
                    self._add(f"bias_hh{name}", rows)
                if proj_size:
                    self._add(f"weight_hr{name}", proj_size, hidden_size)
        self.reset_parameters()

    def _add(self, name: str, *shape: int) -> None:
        self.register_parameter(name, nn.Parameter(torch.empty(*shape)))

    def reset_parameters(self) -> None:
        """Draw every weight uniformly from ±1/sqrt(H), as torch does."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def expect_ids(self) -> None:
        """Lay W_x of the first layer out in memory by its columns, which ids look up.

        Its values and its shape stay, and its gradient gets the same layout: with a vocabulary of
        4,446, looking up and the gradient take a sixth of the time.
        """
        weight = self.get_parameter("weight_ih_l0")
        weight.data = weight.detach().t().contiguous().t()

    def begin_state(self, batch_size: int) -> State:
        """Return the state before the first step, each tensor (L D, B, H)."""
        like = self.get_parameter("weight_hh_l0")
        widths = [self.proj_size or self.hidden_size]
        widths += [self.hidden_size] * (self.num_parts - 1)
        return zeros(widths, self.num_layers * len(self._directions), batch_size, like)

    @overload
    def forward(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]: ...

    @overload
    def forward(
        self, inputs: PackedSequence, state: State | None = None
    ) -> tuple[PackedSequence, State]: ...

    def forward(
        self, inputs: Tensor | PackedSequence, state: State | None = None
    ) -> tuple[Tensor | PackedSequence, State]:
        """Run over a sequence.

        Args:
            inputs: floats (B, T, I); or ids (B, T), each standing for a one-hot vector of size I;
                or floats of sequences of different lengths, packed.
            state: each tensor (L D, B, H); zeros when not given.

        Returns:
            The last layer's hidden states (B, T, D H), packed as the inputs are, and the new state.
        """
        if isinstance(inputs, PackedSequence):
            padded, lengths = pad_packed_sequence(inputs)
            outputs, state = self._run(padded, state, lengths.to(padded.device))
            return _packed_like(inputs, outputs, lengths), state
        outputs, state = self._run(self._time_first(inputs), state)
        return self._time_first(outputs), state

    def _time_first(self, values: Tensor) -> Tensor:
        return values.transpose(0, 1) if self.batch_first else values

    def _run(
        self, outputs: Tensor, state: State | None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Run over inputs (T, B, I) or (T, B); inside, time comes first."""
        if state is None:
            state = self.begin_state(outputs.shape[1])
        befores = iter(zip(*state, strict=True))
        after: list[State] = []
        for layer in range(self.num_layers):
            if layer > 0:
                outputs = functional.dropout(outputs, self.dropout, self.training)
            sides = []
            for direction in self._directions:
                inputs = _backwards(outputs, lengths) if direction else outputs
                weights = self._weights(f"_l{layer}{direction}")
                side, end = self.run_layer(inputs, next(befores), weights, lengths)
                sides.append(_backwards(side, lengths) if direction else side)
                after.append(end)
            outputs = torch.cat(sides, dim=2) if len(sides) > 1 else sides[0]
        return outputs, tuple(map(torch.stack, zip(*after, strict=True)))

    def _weights(self, name: str) -> Weights:
        def parameter(kind: str) -> Tensor:
            return self.get_parameter(f"{kind}{name}")

        of_hidden = parameter("weight_hh")
        no_bias = of_hidden.new_zeros(len(of_hidden))
        return Weights(
            parameter("weight_ih"),
            drop_units(of_hidden, self.recurrent_dropout) if self.training else of_hidden,
            parameter("bias_ih") if self.bias else no_bias,
            parameter("bias_hh") if self.bias else no_bias,
            parameter("weight_hr") if self.proj_size else None,
        )

    @abstractmethod
    def run_layer(
        self, inputs: Tensor, before: State, weights: Weights, lengths: Tensor | None
    ) -> tuple[Tensor, State]:
        """Run one layer in one direction.

        Args:
            inputs: floats (T, B, I) or ids (T, B).
            before: the state before, each tensor (B, H).
            weights: the layer's.
            lengths: of each row's sequence, (B,); all T long when not given.

        Returns:
            The hidden states (T, B, H), and the state after each row's last step.
        """


def run_steps(
    step: Step, projected: Tensor, state: State, lengths: Tensor | None = None
) -> tuple[Tensor, State]:
    """Go through all steps one by one; autograd finds the gradient.

    Args:
        step: one step.
        projected: the input's part of the gates, (T, B, G H).
        state: before the first step, each tensor (B, H).
        lengths: steps after which a row's state stays as it is, (B,).

    Returns:
        The hidden states (T, B, H), and the state after the last step.
    """
    outputs = []
    for t, x in enumerate(projected.to(state[0].dtype)):  # under autocast it is narrower
        after = step(x, state)
        if lengths is not None:
            going = (t < lengths)[:, None]
            pairs = zip(after, state, strict=True)
            after = tuple(torch.where(going, new, old) for new, old in pairs)
        state = after
        outputs.append(state[0])
    return torch.stack(outputs), state


def project(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return W x + b: x floats (T, B, I) or ids (T, B), W (G, I), b (G), to (T, B, G).

    A one-hot vector times a matrix is one of its rows: the row is looked up, and the floats
    (T, B, I) of the one-hot vectors are never built.
    """
    if inputs.is_floating_point():
        return functional.linear(inputs, weight, bias)
    return functional.embedding(inputs, weight.t()) + bias


def drop_units(weight_hh: Tensor, share: float) -> Tensor:
    """Return W_h (G H, H) with some of its columns 0 and the others scaled up.

    So a share of the units is not heard at the next step, the same ones at all steps and in all
    rows of a batch: recurrent dropout as in Gal & Ghahramani (2016), for the price of one product.
    """
    if share == 0:
        return weight_hh
    return weight_hh * functional.dropout(torch.ones_like(weight_hh[:1]), share)


def _backwards(values: Tensor, lengths: Tensor | None) -> Tensor:
    """Return values (T, B, ...) with each row's steps in the other order; what pads them stays."""
    if lengths is None:
        return values.flip(0)
    steps = torch.arange(len(values), device=values.device)[:, None]
    order = torch.where(steps < lengths, lengths - 1 - steps, steps)
    return values[order, torch.arange(values.shape[1], device=values.device)]


def _packed_like(inputs: PackedSequence, outputs: Tensor, lengths: Tensor) -> PackedSequence:
    """Return outputs (T, B, H) packed in the order that the inputs have; lengths (B,)."""
    if inputs.sorted_indices is not None:
        outputs = outputs.index_select(1, inputs.sorted_indices)
        lengths = lengths[inputs.sorted_indices.cpu()]
    valid = torch.arange(len(outputs))[:, None] < lengths
    return inputs._replace(data=outputs[valid.to(outputs.device)])
