"""A memory cell by hand: given weights, no bias, the hidden state is not fed back.

Shapes: T = 9 steps, I = 4 inputs, H = 1.

An input is (x1, x2, x3, 1): x2 = 1 adds x1 to the memory, x2 = -1 clears it, x3 = 1 reads it out.
"""

import torch
from torch import Tensor, nn

from textgen.language import Message, _
from textgen.model.lstm import Activation, lstm_step
from textgen.sanity.trial import Finding, Trial

_INPUTS = torch.tensor(
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
    dtype=torch.float64,
)
_INPUT_GATE = [0, 100, 0, -10]
_FORGET_GATE = [0, 100, 0, 10]
_CANDIDATE = [1, 0, 0, 0]
_OUTPUT_GATE = [0, 0, 100, -10]
_GATES = torch.tensor([_INPUT_GATE, _FORGET_GATE, _CANDIDATE, _OUTPUT_GATE], dtype=torch.float64)
"""As ``lstm_step`` reads them."""

WEIGHT_IH = _GATES.float()
"""As the layers get them, torch's in the same order. In another one, forget gate first, the outputs
are 0.642 and 0.642, which only round to the right answers: so nothing is rounded here."""

_HARD_MEMORY = [0, 0, 3, 3, 7, 7, 7, 0, 6]
_HARD_OUTPUT = [0, 0, 0, 0, 0, 7, 0, 0, 6]
_USUAL_OUTPUT = [0, 0, 0, 0, 0, 0.9636, 0, 0, 0.7616]
"""The document's figures; the last ones are rounded to what stands here."""

_ROUNDED = 5e-5
_TOLERANCE = 1e-4


def run_cell(sigmoid: Activation, tanh: Activation) -> tuple[Tensor, Tensor]:
    """Return the memory before each step, and the output at it, both (T,)."""
    memory, memories, outputs = _INPUTS.new_zeros(1, 1), [], []
    hidden, nothing_fed_back = memory, memory.new_zeros(4, 1)
    for x in _INPUTS @ _GATES.t():
        memories.append(memory)
        output, memory = lstm_step(x[None], hidden, memory, nothing_fed_back, sigmoid, tanh)
        outputs.append(output)
    return torch.cat(memories).flatten(), torch.cat(outputs).flatten()


def hard_gate(x: Tensor) -> Tensor:
    """Return 1 where x is above 0, else 0: a gate that is open or shut."""
    return (x > 0).to(x.dtype)


def unchanged(x: Tensor) -> Tensor:
    """Return x: nothing is squashed."""
    return x


@torch.no_grad()
def memory_cell(trial: Trial) -> Finding:
    """Compare the equations with the document's figures, and the layers with the equations."""
    memories, hard = run_cell(hard_gate, unchanged)
    soft = run_cell(torch.sigmoid, torch.tanh)[1]
    given = {
        name: WEIGHT_IH if name.startswith("weight_ih") else torch.zeros(shape)
        for name, shape in (
            ("weight_ih", (4, 4)),
            ("weight_hh", (4, 1)),
            ("bias_ih", (4,)),
            ("bias_hh", (4,)),
        )
    }
    inputs = _INPUTS.float()
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
    difference = max(float((output - soft).abs().max()) for output in found.values())
    rounding = float((soft - soft.new_tensor(_USUAL_OUTPUT)).abs().max())
    as_documented = (
        memories.tolist() == _HARD_MEMORY and hard.tolist() == _HARD_OUTPUT and rounding < _ROUNDED
    )
    return Finding(
        aim=Message("as by hand, to {difference:.0e}", difference=_TOLERANCE),
        outcome=Message("as by hand, to {difference:.0e}", difference=difference)
        if as_documented
        else Message("not as by hand"),
        passed=as_documented and difference <= _TOLERANCE,
        figures={
            "memory": memories.tolist(),
            "output": hard.tolist(),
            "usual_output": soft.tolist(),
            "difference": difference,
        },
        details=(
            _row(_("hard, memory"), memories, "3.0f"),
            _row(_("hard, output"), hard, "3.0f"),
            _row("lstm_step", soft, ".4f"),
            *(_row(name, output, ".4f") for name, output in found.items()),
        ),
    )


def _row(name: str, values: Tensor, form: str) -> str:
    return f"{name:12}" + " ".join(f"{value:{form}}".rjust(6) for value in values.tolist())
