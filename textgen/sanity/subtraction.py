"""Binary subtraction with borrow, bit by bit.

Shapes: N problems, T = 8 bits.

Time runs over the bits, the least significant first: a step's input is a's bit and b's bit, its
answer a bit of a - b. What must be remembered from step to step is whether a 1 was borrowed.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from textgen.language import Message
from textgen.runs.record import Entry
from textgen.sanity.binary import Numbers, to_bits, to_numbers
from textgen.sanity.examples import Examples
from textgen.sanity.network import Network
from textgen.sanity.problem import WIDTH, Problem
from textgen.sanity.trial import Answer, Finding, Trial

_HIDDEN_SIZE = 32
_PROBLEMS = 10_000
_TESTED = 1_000
_SHOWN = 5


def draw(generator: np.random.Generator, count: int) -> tuple[Numbers, Numbers]:
    """Return a (N,) from 2 to 254 and b (N,) from 1 to a - 1 whose decimal a - b needs a borrow."""
    a, b = np.zeros(0, np.int64), np.zeros(0, np.int64)
    while len(a) < count:
        more_a = generator.integers(2, 255, count)
        more_b = generator.integers(1, more_a)
        borrows = (more_a % 10 < more_b % 10) | (more_a % 100 < more_b % 100)
        a, b = np.append(a, more_a[borrows]), np.append(b, more_b[borrows])
    return a[:count], b[:count]


def encode(a: Numbers, b: Numbers) -> Examples:
    """Return the problems a - b: x (N, T, 2) and y (N, T)."""
    return Examples(
        torch.stack([to_bits(a, WIDTH), to_bits(b, WIDTH)], dim=2), to_bits(a - b, WIDTH)
    )


def make_network(layers: nn.Module) -> Network:
    """Return the document's network: a bit of the answer from each hidden state."""
    return Network(
        layers,
        nn.Sequential(nn.Linear(_HIDDEN_SIZE, 1), nn.Flatten(1)),
        # A sigmoid and the binary cross-entropy in one, which is exact also far from 0.
        functional.binary_cross_entropy_with_logits,
    )


@torch.no_grad()
def answers(network: Network, problems: Examples) -> Numbers:
    """Return what the network answers to problems, (N,)."""
    return to_numbers(network.outputs(problems.x) > 0)


def ask(network: Network, a: int, b: int) -> int:
    """Return what a network answers to a - b.

    Args:
        network: one that has learned it, see ``learn``.
        a: from 0 to 255.
        b: from 0 to a.

    Raises:
        UsageError: a or b is out of range.
    """
    Problem(a, "-", b)
    return int(answers(network, encode(np.array([a]), np.array([b])))[0])


def learn(trial: Trial) -> tuple[Network, Examples]:
    """Return a network that has learned from 9,000 problems, and 1,000 others to test it on."""
    test, training = encode(*draw(trial.generator(), _PROBLEMS)).split(_TESTED)
    network = make_network(trial.layers(2, _HIDDEN_SIZE))

    def judge() -> Entry:
        right = answers(network, test) == to_numbers(test.y)
        return {"accuracy": float(right.mean())}

    config = trial.adam(learning_rate=0.01, batch_size=128)
    trial.train(network, training, config, 100 if trial.full else 6, judge)
    return network, test


def subtraction(trial: Trial) -> Finding:
    """Learn it; all answers to the 1,000 other problems must be right."""
    network, test = learn(trial)
    a, b, right = (to_numbers(bits) for bits in (test.x[..., 0], test.x[..., 1], test.y))
    found = answers(network, test)
    errors = np.abs(found - right)
    trial.note({"errors": errors.tolist()})
    count = int((errors == 0).sum())
    rmse = float(np.sqrt(np.mean(errors.astype(np.float64) ** 2)))
    return Finding(
        aim=Message("{count:,} right, RMSE 0", count=_TESTED),
        outcome=Message("{count:,} right, RMSE {rmse:.4f}", count=count, rmse=rmse),
        passed=count == _TESTED,
        figures={"right": count, "tested": _TESTED, "rmse": rmse},
        details=tuple(
            Problem(int(x), "-", int(y)).worked(int(z))
            for x, y, z in zip(a[:_SHOWN], b[:_SHOWN], found[:_SHOWN], strict=True)
        ),
        answers=tuple(Answer(p, ask(network, p.a, p.b)) for p in trial.problems),
    )
