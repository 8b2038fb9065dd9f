"""torch's optimisers go the same steps without its compiler, which they do not import."""

import subprocess
import sys

import pytest
import torch

from tests.processes import MOST_SECONDS
from textgen.training import eager

PROGRAM = """
import sys
import torch
from textgen.training.eager import Adam, AdamW
from textgen.training.loop import SGD

for kind in (Adam, AdamW, SGD):
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = kind([parameter], lr=0.1)
    optimizer.zero_grad()
    parameter.sum().backward()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    assert parameter.max() < 1
assert "torch._dynamo" not in sys.modules
"""


def test_no_compiler_is_imported() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=MOST_SECONDS)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_the_steps_are_torchs(name: str, fused: bool) -> None:
    found = []
    for home in (eager, torch.optim):
        torch.manual_seed(0)
        parameters = [torch.nn.Parameter(torch.randn(3, 2)), torch.nn.Parameter(torch.randn(2))]
        optimizer = getattr(home, name)(parameters, lr=0.1, weight_decay=0.1, fused=fused)
        for _ in range(5):
            optimizer.zero_grad(set_to_none=True)
            (torch.rand(4, 3) @ parameters[0] + parameters[1]).square().mean().backward()
            optimizer.step()
        found.append(parameters)
    assert all(map(torch.equal, *found))
