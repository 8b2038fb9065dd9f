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
from textgen.runs.record import Entry
from textgen.sanity.binary import to_bits
from textgen.sanity.examples import Examples
from textgen.sanity.network import Network
from textgen.sanity.trial import Finding, Trial

_WIDTH = 8
_HIDDEN_SIZE = 32
_TRAINED = 80_000
_TESTED = 20_000
_WANTED = 0.99


def draw(generator: np.random.Generator, count: int) -> Examples:
    """Return sums of two numbers from 0 to 127: x (N, 2, W) and y (N, W)."""
    a, b = generator.integers(0, 128, (2, count))
    return Examples(
        torch.stack([to_bits(a, _WIDTH), to_bits(b, _WIDTH)], dim=1).flip(2),
        to_bits(a + b, _WIDTH).flip(1),
    )


def make_network(layers: nn.Module) -> Network:
    """Return the document's network: every weight uniform in ±1/sqrt(32), and squared errors."""
    output = nn.Linear(_HIDDEN_SIZE, _WIDTH)
    bound = 1 / math.sqrt(_HIDDEN_SIZE)
    for parameter in output.parameters():
        nn.init.uniform_(parameter, -bound, bound)
    return Network(layers, output, functional.mse_loss, only_last=True)


def share_right(network: Network, examples: Examples) -> float:
    """Return the share of sums of which all bits are right."""
    answers = (network.outputs(examples.x) > 0.5).float()
    return float((answers == examples.y).all(dim=1).float().mean())


def addition(trial: Trial) -> Finding:
    """Learn from 80,000 sums; at least 99 % of 20,000 others must have all 8 bits right."""
    training, test = draw(trial.generator(), _TRAINED + _TESTED).split(_TRAINED)
    network = make_network(trial.layers(_WIDTH, _HIDDEN_SIZE))

    def judge() -> Entry:
        return {"accuracy": share_right(network, test)}

    config, epochs = _full(trial) if trial.full else _quick(trial)
    trial.train(network, training, config, epochs, judge)
    with torch.no_grad():
        share = share_right(network, test)
    return Finding(
        asked=f"{100 * _WANTED:g} % of {_TESTED:,} sums",
        result=f"{100 * share:.2f} % of {_TESTED:,} sums",
        passed=share >= _WANTED,
        figures={"share_right": share, "epochs": epochs},
    )


def _full(trial: Trial) -> tuple[TrainingConfig, int]:
    # The document's constant 0.001 has come to 98 % of the sums after its 50 epochs.
    return trial.adam(learning_rate=0.01, batch_size=64, schedule="cosine"), 50


def _quick(trial: Trial) -> tuple[TrainingConfig, int]:
    fast = trial.adam(learning_rate=0.08, batch_size=320, schedule="cosine", warmup=0.1, beta2=0.9)
    return fast, 9
