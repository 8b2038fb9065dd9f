"""Binary subtraction with borrow, bit by bit.

Shapes: N problems, T = 8 bits.

Time runs over the bits, the least significant first: a step's input is a's bit and b's bit, its
answer a bit of a - b. What must be remembered from step to step is whether a 1 was borrowed.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from textgen.runs.record import Entry
from textgen.sanity.binary import Numbers, to_bits, to_numbers
from textgen.sanity.examples import Examples
from textgen.sanity.network import Network
from textgen.sanity.trial import Finding, Trial

_WIDTH = 8
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


def subtraction(trial: Trial) -> Finding:
    """Learn from 9,000 problems; all of 1,000 others must come out right."""
    a, b = draw(trial.generator(), _PROBLEMS)
    problems = Examples(
        torch.stack([to_bits(a, _WIDTH), to_bits(b, _WIDTH)], dim=2), to_bits(a - b, _WIDTH)
    )
    test, training = problems.split(_TESTED)
    network = Network(
        trial.layers(2, 32),
        nn.Sequential(nn.Linear(32, 1), nn.Flatten(1)),
        # A sigmoid and the binary cross-entropy in one, which is exact also far from 0.
        functional.binary_cross_entropy_with_logits,
    )

    def answers() -> Tensor:
        return (network.outputs(test.x) > 0).float()

    def judge() -> Entry:
        return {"accuracy": float((answers() == test.y).all(dim=1).float().mean())}

    config = trial.adam(learning_rate=0.01, batch_size=128)
    trial.train(network, training, config, 100 if trial.full else 6, judge)
    with torch.no_grad():
        found = to_numbers(answers())
    errors = np.abs(found - to_numbers(test.y))
    trial.note({"errors": errors.tolist()})
    right = int((errors == 0).sum())
    rmse = float(np.sqrt(np.mean(errors.astype(np.float64) ** 2)))
    return Finding(
        asked=f"{_TESTED:,} right, RMSE 0",
        result=f"{right:,} right, RMSE {rmse:.4f}",
        passed=right == _TESTED,
        figures={"right": right, "tested": _TESTED, "rmse": rmse},
        details=tuple(
            worked(int(x), int(y), int(z))
            for x, y, z in zip(a[:_SHOWN], b[:_SHOWN], found[:_SHOWN], strict=True)
        ),
    )


def worked(a: int, b: int, found: int) -> str:
    """Return a problem with its answer and the bits; behind a wrong one, the right one."""
    bits = f"{a:08b} - {b:08b} = {found:08b}"
    return f"{a:4} - {b:3} = {found:3}   {bits}" + ("" if found == a - b else f"   ({a - b})")
