"""Visdom without torch, which it imports only to know its tensors, and here is sent none."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _NoTorch(MetaPathFinder):
    """Finds no torch, as on a machine that has none."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse torch, and leave all else to others."""
        del path, target
        if fullname == "torch":
            raise ModuleNotFoundError("Visdom does without it here", name=fullname)
        return None


@contextmanager
def without_torch() -> Iterator[None]:
    """Have no torch inside, to import Visdom there; where it is imported already, it stays.

    That saves a monitor two seconds at its start and 200 MB.
    """
    finder = _NoTorch()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
