"""How much memory all environments together may take."""

import json
from typing import Any

from textgen.dashboard.messages import RefusedError

_MOST_BYTES = 256 * 1024**2
_MOST_ENVIRONMENTS = 4096
_OF_EACH = 1024
"""Bytes that an environment takes without any window."""

Environments = dict[str, dict[str, Any]]
"""What Visdom holds: the windows of each environment, and how its view was arranged."""


class Room:
    """The sizes of environments, as JSON; each is measured again only when it has changed.

    Args:
        environments: all there are; others fill and empty them.
        most: bytes that they may take.
    """

    def __init__(self, environments: Environments, most: int = _MOST_BYTES) -> None:
        self._environments = environments
        self._most = most
        self._sizes: dict[str, int] = {}

    def changed(self, name: str) -> None:
        """Forget how large an environment was."""
        self._sizes.pop(name, None)

    def taken(self) -> int:
        """Return how many bytes all environments take."""
        for name in self._sizes.keys() - self._environments.keys():
            del self._sizes[name]
        for name in self._environments.keys() - self._sizes.keys():
            content = self._environments[name]
            self._sizes[name] = _OF_EACH + len(json.dumps([content["jsons"], content["reload"]]))
        return sum(self._sizes.values())

    def size(self, name: str) -> int:
        """Return how many bytes an environment takes; none if there is none."""
        self.taken()
        return self._sizes.get(name, 0)

    def require(self, name: str, more: int) -> None:
        """Make sure that an environment can take more.

        Args:
            name: the environment, an old or a new one.
            more: bytes.

        Raises:
            RefusedError: there would be too much of it.
        """
        taken = self.taken()
        if name not in self._environments and len(self._environments) >= _MOST_ENVIRONMENTS:
            raise RefusedError(f"there are {_MOST_ENVIRONMENTS:,} environments: delete some")
        if taken + more > self._most:
            raise RefusedError(
                f"all environments together may take {self._most / 1024**2:.0f} MB: delete some"
            )
