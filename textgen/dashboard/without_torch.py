"""Visdom without torch, which it imports only to know its tensors, and here is sent none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_torch() -> Iterator[None]:
    """Have no torch inside, to import Visdom there; where it is imported already, it stays.

    That saves a monitor two seconds at its start and 200 MB. Visdom does without it as on a machine
    that has none.
    """
    if "torch" in sys.modules:
        yield
        return
    sys.modules["torch"] = None  # type: ignore[assignment] # it cannot be imported
    try:
        yield
    finally:
        del sys.modules["torch"]
