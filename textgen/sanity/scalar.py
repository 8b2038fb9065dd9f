"""A scalar LSTM: one unit, every weight a number.

Two sequences of four daily values differ in the first day alone, which is to be remembered to
the last: the answer is the hidden state there.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from textgen.config import TrainingConfig
from textgen.language import Message
from textgen.runs.record import Entry
from textgen.sanity.examples import Examples
from textgen.sanity.network import Network
from textgen.sanity.trial import Finding, Trial

_EXAMPLES = Examples(
    torch.tensor([[0.0, 0.5, 0.25, 1.0], [1.0, 0.5, 0.25, 1.0]])[..., None],
    torch.tensor([[0.0], [1.0]]),
)
_WANTED = 0.25
"""How near the answers must come to 0 and 1."""

_BUILT_IN_EPOCHS = 300


def scalar(trial: Trial) -> Finding:
    """Learn the two answers: by hand and resumed from a checkpoint, or with ``nn.LSTM``."""
    return _by_hand(trial) if trial.model == "scratch" else _built_in(trial)


def _by_hand(trial: Trial) -> Finding:
    stages = (2000, 5000) if trial.full else (200, 500)
    config = trial.adam(learning_rate=0.001 if trial.full else 0.03, batch_size=1)
    told: list[tuple[Message, Tensor]] = []
    for epochs in stages:
        # Each stage draws other weights; the second has those of the first from its checkpoint.
        network = _make_network(_normal(trial.layers(1, 1)))
        told = told or [(Message("before"), _answers(network))]
        _train(trial, network, config, epochs)
        told.append((Message("after {epochs:,} epochs", epochs=epochs), _answers(network)))
    trial.checkpoint.unlink()
    return _finding(told)


def _built_in(trial: Trial) -> Finding:
    network = _make_network(trial.layers(1, 1))
    told = [(Message("before"), _answers(network))]
    # Both sequences at once, and a short memory for the squares: one after the other and with
    # the usual 0.999, one draw of the weights in ten stays at 0.5.
    config = trial.adam(learning_rate=0.1, batch_size=2, beta2=0.9)
    _train(trial, network, config, _BUILT_IN_EPOCHS)
    trial.checkpoint.unlink()
    after = Message("after {epochs:,} epochs", epochs=_BUILT_IN_EPOCHS)
    told.append((after, _answers(network)))
    return _finding(told)


def _make_network(layers: nn.Module) -> Network:
    return Network(layers, nn.Identity(), functional.mse_loss, only_last=True)


def _normal(layers: nn.Module) -> nn.Module:
    """Draw every weight from N(0, 1); biases are 0, and of the two for a gate one is learned."""
    for name, parameter in layers.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.normal_(parameter)
    layers.get_parameter("bias_hh_l0").requires_grad = False
    return layers


@torch.no_grad()
def _answers(network: Network) -> Tensor:
    return network.outputs(_EXAMPLES.x).flatten()


def _train(trial: Trial, network: Network, config: TrainingConfig, epochs: int) -> None:
    def judge() -> Entry:
        out_0, out_1 = _answers(network).tolist()
        return {"out_0": out_0, "out_1": out_1}

    trial.train(network, _EXAMPLES, config, epochs, judge, trial.checkpoint)


def _finding(told: list[tuple[Message, Tensor]]) -> Finding:
    out_0, out_1 = told[-1][1].tolist()
    errors = [float((answers - _EXAMPLES.y.flatten()).abs().max()) for _, answers in told]
    falling = sorted(errors, reverse=True) == errors
    return Finding(
        aim=Message("0 and 1, to {wanted}", wanted=_WANTED),
        outcome=Message("{out_0:.3f} and {out_1:.3f}", out_0=out_0, out_1=out_1),
        passed=falling and errors[-1] <= _WANTED,
        figures={when.english(): answers.tolist() for when, answers in told},
        details=tuple(
            f"{when!s:18} 0: {answers[0]:6.3f}   1: {answers[1]:6.3f}" for when, answers in told
        ),
    )
