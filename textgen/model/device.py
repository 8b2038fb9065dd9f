"""Where to compute."""

import torch

from textgen.errors import UsageError


def choose_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` takes cuda, then mps, then the processor.

    On cuda, float32 means float32 from then on: cuDNN's layers would round to TF32 of themselves.

    Raises:
        UsageError: this machine, or this torch, does not have it.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(device for device, there in available.items() if there)
    if not available[name]:
        raise UsageError(
            "--device {name} is not there; this torch sees: {available}",
            name=name,
            available=_names(available),
        )
    if name == "cuda":
        torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)


def _names(available: dict[str, bool]) -> str:
    return ", ".join(device for device, there in available.items() if there)
