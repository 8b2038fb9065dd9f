"""What bench measures against: the source documents' own ways, written as they describe them."""

from collections.abc import Iterable

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
            before = {
                gate: x[:, t] @ self.of_input[gate]
                + hidden @ self.of_hidden[gate]
                + self.bias[gate]
                for gate in GATES
            }
            i, f, o = (torch.sigmoid(before[gate]) for gate in "ifo")
            memory = f * memory + i * torch.tanh(before["g"])
            hidden = o * torch.tanh(memory)
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
