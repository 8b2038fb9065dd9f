"""Trained on 8 bits, asked for 1,024: whether the rule of the carry was learned.

Shapes: N problems, W bits.

One network learns addition and subtraction, the least significant bit first: a step's input is
a's bit, b's bit, and which of the two is asked. A network that has learned answers by heart, or
a carry that fades, fails on long numbers; one that has learned the rule never does.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from textgen.language import Message
from textgen.runs.record import Entry
from textgen.sanity.examples import Examples
from textgen.sanity.network import Network
from textgen.sanity.trial import Finding, Trial

_TRAINED_WIDTH = 8
_TRAINED = 20_000
_EPOCHS = 3
_TESTED = {16: 1000, 64: 1000, 1024: 250}
"""Problems asked, by their width."""

_NOISE = 0.1
"""Spread of what is added to the inputs in training: a carry must be held in spite of it."""

Bits = NDArray[np.int64]


def draw(generator: np.random.Generator, count: int, width: int) -> Examples:
    """Return problems: x (N, W, 3) and y (N, W), the answers modulo 2^W."""
    a, b = generator.integers(0, 2, (2, count, width))
    subtract = generator.integers(0, 2, count)
    asked = np.broadcast_to(subtract[:, None], a.shape)
    y = np.stack([_answer(*problem) for problem in zip(a, b, subtract, strict=True)])
    return Examples(
        torch.from_numpy(np.stack([a, b, asked], axis=2)).float(), torch.from_numpy(y).float()
    )


def _answer(a: Bits, b: Bits, subtract: int) -> Bits:
    """Return the bits of a + b or a - b, by Python's own whole numbers."""
    width = len(a)
    first, second = (int.from_bytes(np.packbits(n, bitorder="little"), "little") for n in (a, b))
    number = (first - second if subtract else first + second) % (1 << width)
    packed = np.frombuffer(number.to_bytes(-(-width // 8), "little"), dtype=np.uint8)
    return np.unpackbits(packed, count=width, bitorder="little").astype(np.int64)


def long_numbers(trial: Trial) -> Finding:
    """Learn from problems of 8 bits; every one of 16, 64 and 1,024 bits must come out right."""
    generator = trial.generator()
    training = draw(generator, _TRAINED, _TRAINED_WIDTH)
    noisy = Examples(training.x + _NOISE * torch.randn_like(training.x), training.y)
    tests = {width: draw(generator, count, width) for width, count in _TESTED.items()}
    network = Network(
        trial.layers(3, 32),
        nn.Sequential(nn.Linear(32, 1), nn.Flatten(1)),
        functional.binary_cross_entropy_with_logits,
    )

    def right(test: Examples) -> Tensor:
        return ((network.outputs(test.x) > 0).float() == test.y).all(dim=1)

    def judge() -> Entry:
        return {"accuracy": float(right(tests[16]).float().mean())}

    config = trial.adam(learning_rate=0.02, batch_size=128, schedule="cosine", beta2=0.99)
    trial.train(network, noisy, config, _EPOCHS, judge)
    with torch.no_grad():
        found = {width: int(right(test).sum()) for width, test in tests.items()}
    every = Message("all, to {bits:,} bits", bits=max(_TESTED))
    some = ", ".join(f"{found[width]}/{count}" for width, count in _TESTED.items())
    return Finding(
        aim=every,
        outcome=every if found == _TESTED else Message(some),
        passed=found == _TESTED,
        figures={f"{width} bits": count for width, count in found.items()},
    )
