"""A memory cell by hand: given weights, no bias, the hidden state is not fed back.

Shapes: T = 9 steps, I = 4 inputs.

An input is (x1, x2, x3, 1): x2 = 1 adds x1 to the memory, x2 = -1 clears it, x3 = 1 reads it out.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from textgen.sanity.trial import Finding, Trial

_INPUTS = np.array(
    [
        [1, 0, 0, 1],
        [3, 1, 0, 1],
        [2, 0, 0, 1],
        [4, 1, 0, 1],
        [2, 0, 0, 1],
        [1, 0, 1, 1],
        [3, -1, 0, 1],
        [6, 1, 0, 1],
        [1, 0, 1, 1],
    ],
    dtype=np.float64,
)
_INPUT_GATE = np.array([0, 100, 0, -10])
_FORGET_GATE = np.array([0, 100, 0, 10])
_CANDIDATE = np.array([1, 0, 0, 0])
_OUTPUT_GATE = np.array([0, 0, 100, -10])

# torch's order. In another one, forget gate first, the outputs are 0.642 and 0.642, which only
# round to the right answers: so nothing is rounded here.
WEIGHT_IH = torch.from_numpy(np.stack([_INPUT_GATE, _FORGET_GATE, _CANDIDATE, _OUTPUT_GATE]))

_HARD_MEMORY = [0, 0, 3, 3, 7, 7, 7, 0, 6]
_HARD_OUTPUT = [0, 0, 0, 0, 0, 7, 0, 0, 6]
_TOLERANCE = 1e-4

Floats = NDArray[np.float64]
Function = Callable[[float], float]


def run_cell(gate: Function, squash: Function) -> tuple[Floats, Floats]:
    """Return the memory before each step, and the output at it, both (T,)."""
    memory, memories, outputs = 0.0, [], []
    for x in _INPUTS:
        memories.append(memory)
        memory = gate(_FORGET_GATE @ x) * memory + gate(_INPUT_GATE @ x) * squash(_CANDIDATE @ x)
        outputs.append(gate(_OUTPUT_GATE @ x) * squash(memory))
    return np.array(memories), np.array(outputs)


def sigmoid(x: float) -> float:
    """Return 1 / (1 + e^-x)."""
    return float(1 / (1 + np.exp(-x)))


@torch.no_grad()
def memory_cell(trial: Trial) -> Finding:
    """Compare hard gates with the document's figures, and the layers with an LSTM in NumPy."""
    memories, hard = run_cell(lambda x: float(x > 0), lambda x: x)
    _, soft = run_cell(sigmoid, lambda x: float(np.tanh(x)))
    given = {
        name: WEIGHT_IH.float() if name.startswith("weight_ih") else torch.zeros(shape)
        for name, shape in (
            ("weight_ih", (4, 4)),
            ("weight_hh", (4, 1)),
            ("bias_ih", (4,)),
            ("bias_hh", (4,)),
        )
    }
    inputs = torch.from_numpy(_INPUTS).float()
    layers = trial.layers(4, 1)
    layers.load_state_dict({f"{name}_l0": value for name, value in given.items()})
    found = {trial.model: layers(inputs[None])[0].flatten()}
    if trial.model == "nn":
        cell = nn.LSTMCell(4, 1)
        cell.load_state_dict(given)
        hidden, state = [], None
        for x in inputs:
            # The output gate's weights for h are 0: feeding it back changes nothing.
            state = cell(x[None], state)
            hidden.append(state[0])
        found["LSTMCell"] = torch.cat(hidden).flatten()
    difference = max(float(np.abs(output.numpy() - soft).max()) for output in found.values())
    as_documented = memories.tolist() == _HARD_MEMORY and hard.tolist() == _HARD_OUTPUT
    return Finding(
        asked=f"as by hand, to {_TOLERANCE:.0e}",
        result=f"as by hand, to {difference:.0e}" if as_documented else "not as by hand",
        passed=as_documented and difference <= _TOLERANCE,
        figures={
            "memory": memories.tolist(),
            "output": hard.tolist(),
            "usual_output": soft.tolist(),
            "difference": difference,
        },
        details=(
            _row("hard, memory", memories, "3.0f"),
            _row("hard, output", hard, "3.0f"),
            _row("NumPy", soft, ".4f"),
            *(_row(name, out.numpy(), ".4f") for name, out in found.items()),
        ),
    )


def _row(name: str, values: NDArray[np.floating], form: str) -> str:
    return f"{name:12}" + " ".join(f"{value:{form}}".rjust(6) for value in values)
