"""Remember a symbol over 100 blank steps: an LSTM does it, a plain RNN does not.

Shapes: N sequences, T = 102 steps: the symbol, the blanks, the step that asks.

Source: the task of Hochreiter & Schmidhuber (1997), chapter 5, at its plainest; the gates' biases
of Tallec & Ollivier (2018), "Can recurrent neural networks warp time?", chapter 2.
"""

import torch
from torch import nn
from torch.nn import functional

from textgen.language import Message
from textgen.runs.record import Entry
from textgen.sanity.examples import Examples
from textgen.sanity.network import Network
from textgen.sanity.trial import Finding, Trial

_SYMBOLS = 12
_BLANKS = 100
_HIDDEN_SIZE = 32
_TRAINED = 6000
_BLANK, _ASK = _SYMBOLS, _SYMBOLS + 1


def make(symbols: torch.Tensor) -> Examples:
    """Return sequences for symbols (N,): ids x (N, T), and the symbols again as the answers."""
    blanks = torch.full((len(symbols), _BLANKS), _BLANK)
    asking = torch.full((len(symbols), 1), _ASK)
    return Examples(torch.cat([symbols[:, None], blanks, asking], dim=1), symbols)


def copy_memory(trial: Trial) -> Finding:
    """Learn to tell the symbol at the end; the plain RNN is not expected to."""
    symbols = torch.from_numpy(trial.generator().integers(0, _SYMBOLS, _TRAINED))
    every = make(torch.arange(_SYMBOLS))
    layers = trial.layers(_SYMBOLS + 2, _HIDDEN_SIZE)
    gated = trial.model != "rnn"
    if gated:
        _remember_for(layers, _BLANKS)
    network = Network(
        layers, nn.Linear(_HIDDEN_SIZE, _SYMBOLS), functional.cross_entropy, only_last=True
    )

    def right() -> int:
        return int((network.outputs(every.x).argmax(dim=1) == every.y).sum())

    def judge() -> Entry:
        return {"accuracy": right() / _SYMBOLS}

    config = trial.adam(learning_rate=0.03, batch_size=24, schedule="cosine", clip=1.0)
    trial.train(network, make(symbols), config, 1, judge)
    with torch.no_grad():
        found = right()
    return Finding(
        aim=Message("{right} of {count} symbols", right=_SYMBOLS, count=_SYMBOLS)
        if gated
        else Message("at most {most} of {count}", most=_SYMBOLS // 2, count=_SYMBOLS),
        outcome=Message("{right} of {count} symbols", right=found, count=_SYMBOLS),
        passed=found == _SYMBOLS if gated else found <= _SYMBOLS // 2,
        figures={"right": found, "symbols": _SYMBOLS, "steps": _BLANKS},
    )


@torch.no_grad()
def _remember_for(layers: nn.Module, steps: int) -> None:
    """Set the gates' biases so that memories last for up to so many steps from the start."""
    bias_ih, bias_hh = layers.get_parameter("bias_ih_l0"), layers.get_parameter("bias_hh_l0")
    input_gate, forget_gate, _, _ = bias_ih.zero_().chunk(4)
    bias_hh.zero_()
    forget_gate.copy_(torch.log(1 + torch.rand_like(forget_gate) * (steps - 2)))
    input_gate.copy_(-forget_gate)
