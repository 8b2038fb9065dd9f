"""What bench measures against: the source documents' own ways, written as they describe them."""

import random
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

GATES = ("i", "f", "g", "o")


class SumsOneByOne(Dataset[tuple[Tensor, Tensor]]):
    """Document C's data: a Dataset that makes one sample at a time."""

    def __init__(self, pairs: list[tuple[int, int]]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        a, b = self.pairs[index]
        x = [[int(bit) for bit in f"{number:08b}"] for number in (a, b)]
        y = [int(bit) for bit in f"{a + b:08b}"]
        return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


class HasGates(Protocol):
    """The weights of an LSTM, for each gate its own."""

    of_input: Any
    of_hidden: Any
    bias: Any


def step_gate_by_gate(
    weights: HasGates, x: Tensor, hidden: Tensor, memory: Tensor
) -> tuple[Tensor, Tensor]:
    """Go one step in time: one matmul for each gate and each of its two inputs."""
    before = {
        gate: x @ weights.of_input[gate] + hidden @ weights.of_hidden[gate] + weights.bias[gate]
        for gate in GATES
    }
    i, f, o = (torch.sigmoid(before[gate]) for gate in "ifo")
    memory = f * memory + i * torch.tanh(before["g"])
    return o * torch.tanh(memory), memory


class GateByGate(nn.Module):
    """Document C's network: an LSTM with one matmul for each gate and each of its two inputs."""

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        bound = hidden_size**-0.5

        def weights(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))

        self.of_input = nn.ParameterDict({g: weights(input_size, hidden_size) for g in GATES})
        self.of_hidden = nn.ParameterDict({g: weights(hidden_size, hidden_size) for g in GATES})
        self.bias = nn.ParameterDict({g: weights(hidden_size) for g in GATES})
        self.output = nn.Linear(hidden_size, output_size)

    def forward(self, x: Tensor) -> Tensor:
        hidden = x.new_zeros(len(x), self.hidden_size)
        memory = x.new_zeros(len(x), self.hidden_size)
        for t in range(x.shape[1]):
            hidden, memory = step_gate_by_gate(self, x[:, t], hidden, memory)
        outputs: Tensor = self.output(hidden)
        return outputs


def train_sums(
    network: nn.Module, optimizer: torch.optim.Optimizer, batches: Iterable[tuple[Tensor, Tensor]]
) -> list[float]:
    """Train for an epoch; return the losses."""
    losses = []
    for x, y in batches:
        loss = functional.mse_loss(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def count_right(network: nn.Module, pairs: list[tuple[int, int]]) -> int:
    """Count the sums of which all bits are right, one after the other."""
    right = 0
    for x, y in DataLoader(SumsOneByOne(pairs), batch_size=64):
        answers = (network(x) > 0.5).float()
        for answer, expected in zip(answers, y, strict=True):
            if torch.equal(answer, expected):
                right += 1
    return right


class DocumentA:
    """Document A's network and its step: one-hot inputs, a matmul for each gate and input.

    Shapes: B batch, T steps, V vocabulary, H hidden size.
    """

    def __init__(self, vocab_size: int, hidden_size: int) -> None:
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size

        def weights(*shape: int) -> Tensor:
            return (0.01 * torch.randn(*shape)).requires_grad_()

        def zeros(size: int) -> Tensor:
            return torch.zeros(size, requires_grad=True)

        self.of_input = {gate: weights(vocab_size, hidden_size) for gate in GATES}
        self.of_hidden = {gate: weights(hidden_size, hidden_size) for gate in GATES}
        self.bias = {gate: zeros(hidden_size) for gate in GATES}
        self.of_output = weights(hidden_size, vocab_size)
        self.output_bias = zeros(vocab_size)
        parts = (self.of_input, self.of_hidden, self.bias)
        self.parameters = [part[gate] for part in parts for gate in GATES]
        self.parameters += [self.of_output, self.output_bias]

    def begin_state(self, batch_size: int) -> tuple[Tensor, ...]:
        return torch.zeros(2, batch_size, self.hidden_size).unbind()

    def loss(
        self, x: Tensor, y: Tensor, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the mean loss of a batch (B, T), and the new state."""
        hidden, memory = state
        outputs = []
        for one_hot in functional.one_hot(x.t(), self.vocab_size).float():
            hidden, memory = step_gate_by_gate(self, one_hot, hidden, memory)
            outputs.append(hidden @ self.of_output + self.output_bias)
        loss = functional.cross_entropy(torch.cat(outputs), y.t().reshape(-1))
        return loss, (hidden, memory)

    def step(self, x: Tensor, y: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Train by one batch: gradients of a norm of at most 1, learning rate 1."""
        loss, state = self.loss(x, y, tuple(part.detach() for part in state))
        loss.backward()
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = torch.sqrt(sum((torch.sum(g**2) for g in gradients), torch.zeros(())))
        if norm > 1:
            for gradient in gradients:
                gradient.mul_(1 / norm)
        with torch.no_grad():
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.sub_(gradient)
                gradient.zero_()
        return state


def random_batches(
    ids: list[int], batch_size: int, num_steps: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Document A's random iterator: pieces of a list in random order."""
    ids = ids[random.randint(0, num_steps - 1) :]  # noqa: S311
    starts = list(range(0, (len(ids) - 1) // num_steps * num_steps, num_steps))
    random.shuffle(starts)
    for first in range(0, len(starts) // batch_size * batch_size, batch_size):
        chosen = starts[first : first + batch_size]
        yield (
            torch.tensor([ids[start : start + num_steps] for start in chosen]),
            torch.tensor([ids[start + 1 : start + 1 + num_steps] for start in chosen]),
        )


def sequential_batches(
    ids: list[int], batch_size: int, num_steps: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Document A's sequential iterator: a list in equal rows, read side by side."""
    offset = random.randint(0, num_steps)  # noqa: S311
    length = (len(ids) - offset - 1) // batch_size
    starts = range(offset, offset + batch_size * length, length)
    xs = [ids[start : start + length] for start in starts]
    ys = [ids[start + 1 : start + 1 + length] for start in starts]
    for first in range(0, length // num_steps * num_steps, num_steps):
        columns = slice(first, first + num_steps)
        yield torch.tensor([row[columns] for row in xs]), torch.tensor([row[columns] for row in ys])


@torch.no_grad()
def write_by_modules(model: nn.Module, ids: Tensor, length: int, temperature: float) -> list[int]:
    """Go on from the tokens (1, T): a call of the model, a softmax and a draw for each one."""
    written = []
    logits, state = model(ids)
    for _ in range(length):
        probabilities = torch.softmax(logits[:, -1] / temperature, dim=1)
        ids = torch.multinomial(probabilities, 1)
        written.append(int(ids))
        logits, state = model(ids, state)
    return written
