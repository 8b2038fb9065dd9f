"""Binary addition, operand by operand.

Shapes: N sums, T = 2 operands, W = 8 bits.

Time runs over the two operands: the first step's input is all of a's bits, the second's all of
b's, the most significant first. The 8 bits of a + b are read from the last hidden state.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from textgen.config import TrainingConfig
from textgen.language import Message
from textgen.runs.record import Entry
from textgen.sanity.binary import Numbers, to_bits, to_numbers
from textgen.sanity.examples import Examples
from textgen.sanity.network import Network
from textgen.sanity.problem import WIDTH, Problem
from textgen.sanity.trial import Answer, Finding, Trial

_HIDDEN_SIZE = 32
_TRAINED = 80_000
_TESTED = 20_000
_WANTED = 0.99


def draw(generator: np.random.Generator, count: int) -> Examples:
    """Return sums of two numbers from 0 to 127: x (N, 2, W) and y (N, W)."""
    a, b = generator.integers(0, 128, (2, count))
    return encode(a, b)


def encode(a: Numbers, b: Numbers) -> Examples:
    """Return the sums a + b of numbers (N,): x (N, 2, W) and y (N, W)."""
    return Examples(
        torch.stack([to_bits(a, WIDTH), to_bits(b, WIDTH)], dim=1).flip(2),
        to_bits(a + b, WIDTH).flip(1),
    )


def make_network(layers: nn.Module) -> Network:
    """Return the document's network: every weight uniform in ±1/sqrt(32), and squared errors."""
    output = nn.Linear(_HIDDEN_SIZE, WIDTH)
    bound = 1 / math.sqrt(_HIDDEN_SIZE)
    for parameter in output.parameters():
        nn.init.uniform_(parameter, -bound, bound)
    return Network(layers, output, functional.mse_loss, only_last=True)


@torch.no_grad()
def answers(network: Network, sums: Examples) -> Numbers:
    """Return what the network answers to sums, (N,)."""
    return to_numbers((network.outputs(sums.x) > 0.5).flip(1))


def ask(network: Network, a: int, b: int) -> int:
    """Return what a network answers to a + b.

    Args:
        network: one that has learned it, see ``learn``.
        a: from 0 to 127.
        b: from 0 to 127.

    Raises:
        UsageError: a or b is out of range.
    """
    Problem(a, "+", b)
    return int(answers(network, encode(np.array([a]), np.array([b])))[0])


def share_right(network: Network, sums: Examples) -> float:
    """Return the share of sums of which all bits are right."""
    return float((answers(network, sums) == to_numbers(sums.y.flip(1))).mean())


def learn(trial: Trial) -> tuple[Network, Examples]:
    """Return a network that has learned from 80,000 sums, and 20,000 others to test it on."""
    training, test = draw(trial.generator(), _TRAINED + _TESTED).split(_TRAINED)
    network = make_network(trial.layers(WIDTH, _HIDDEN_SIZE))

    def judge() -> Entry:
        return {"accuracy": share_right(network, test)}

    config, epochs = _settings(trial)
    trial.train(network, training, config, epochs, judge)
    return network, test


def addition(trial: Trial) -> Finding:
    """Learn it; at least 99 % of the 20,000 other sums must have all 8 bits right."""
    network, test = learn(trial)
    share = share_right(network, test)
    return Finding(
        aim=Message("{share:g} % of {count:,} sums", share=100 * _WANTED, count=_TESTED),
        outcome=Message("{share:.2f} % of {count:,} sums", share=100 * share, count=_TESTED),
        passed=share >= _WANTED,
        figures={"share_right": share, "epochs": _settings(trial)[1]},
        answers=tuple(Answer(p, ask(network, p.a, p.b)) for p in trial.problems),
    )


def _settings(trial: Trial) -> tuple[TrainingConfig, int]:
    """Return the settings, and the number of epochs."""
    if trial.full:
        # The document's constant 0.001 comes to 97 to 99 % of the sums: docs/sanity.md.
        return trial.adam(learning_rate=0.01, batch_size=64, schedule="cosine"), 50
    fast = trial.adam(learning_rate=0.08, batch_size=320, schedule="cosine", warmup=0.1, beta2=0.9)
    return fast, 9
