"""The type that matrix products are computed in: float32, or bfloat16 where that is faster.

bfloat16 has float32's range with 8 bits of precision. Weights, the optimiser, the recurrent memory
and the loss stay in float32; only matrix products take their factors in bfloat16, and add them up
in float32 inside. torch's autocast does that for torch's own layers; what this project computes by
hand asks ``compute_dtype`` and uses ``add_product``.
"""

import time
from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor, nn

from textgen.config import Precision
from textgen.errors import UsageError

_WORTH_IT = 1.5
"""How many times as fast a matrix product in bfloat16 has to be: with AMX it is 6 to 9, with
AVX512-BF16 2, without either below 1."""

_SIZE = 512
"""Rows and columns of the matrices that tell; a product of them takes a few milliseconds."""

_SMALL = 2**16
"""Numbers in a model's largest matrix, below which its products are too small to gain."""


def choose_dtype(precision: Precision, parameters: Iterable[Tensor]) -> torch.dtype:
    """Return the type for the matrix products of a model with these parameters, on their device.

    Raises:
        UsageError: bfloat16 is asked for, and torch has none there.
    """
    largest = max(parameters, key=Tensor.numel)
    device = largest.device
    if precision == "float32" or (precision == "auto" and largest.numel() < _SMALL):
        return torch.float32
    if precision == "bfloat16" and not has_bfloat16(device):
        raise UsageError(
            "--precision bfloat16 is not to be had on this {device}: leave it at auto",
            device=device.type,
        )
    chosen = precision == "bfloat16" or (has_bfloat16(device) and _is_worth_it(device))
    return torch.bfloat16 if chosen else torch.float32


@cache
def has_bfloat16(device: torch.device) -> bool:
    """Return whether torch's own LSTM runs in bfloat16: of all layers it asks for most."""
    try:
        with torch.autocast(device.type, torch.bfloat16):
            layer = nn.LSTM(8, 8, device=device)
            outputs, _ = layer(torch.zeros(2, 1, 8, device=device))
        outputs.float().sum().backward()
    except RuntimeError:
        return False
    return True


@cache
def _is_worth_it(device: torch.device) -> bool:
    """Return whether bfloat16 pays; measured, since no list of processors is ever complete."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)  # older cards only imitate it
    if device.type != "cpu":
        return False
    wide = torch.ones(_SIZE, _SIZE)
    narrow = wide.bfloat16()
    return _seconds(wide) > _WORTH_IT * _seconds(narrow)


def _seconds(square: Tensor) -> float:
    """Return the least seconds of a product in five tries: what else runs here only adds."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        square @ square
        times.append(time.perf_counter() - began)
    return min(times)


def compute_dtype(tensor: Tensor) -> torch.dtype:
    """Return the type to multiply a tensor in: autocast's where it is on, else the tensor's."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype


def add_product(x: Tensor, a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    """Write x + a b into ``out`` and return it; a b is computed in the type of b (K, N).

    Args:
        x: what is added, of any shape that fits (M, N), in the type of ``out``.
        a: (M, K).
        b: (K, N).
        out: (M, N).
    """
    if b.dtype == out.dtype:
        return torch.addmm(x, a, b, out=out)
    return torch.add(x, a.to(b.dtype) @ b, out=out)
