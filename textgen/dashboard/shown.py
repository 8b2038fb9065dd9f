"""What a Visdom server shows already: it is not drawn again, and what it should not show goes."""

import json
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from textgen.dashboard.names import plain
from textgen.plots.window import Window

if TYPE_CHECKING:
    from textgen.dashboard.client import Client

log = logging.getLogger(__name__)


class Shown:
    """What was drawn on a server, by environment and window."""

    def __init__(self) -> None:
        self._content: dict[tuple[str, str], str] = {}
        self._refused: set[tuple[str, str]] = set()

    def __bool__(self) -> bool:
        return bool(self._content)

    @property
    def environments(self) -> set[str]:
        """Where something was drawn."""
        return {environment for environment, _key in self._content}

    def forget(self) -> None:
        """Forget all of it: the server is another one, or has begun anew."""
        self._content.clear()

    def draw(self, client: "Client", environment: str, window: Window) -> None:
        """Draw a window, unless it is there as it is; one that is refused is told of once."""
        from textgen.dashboard.client import RefusedError

        environment = plain(environment)
        window = replace(window.without_markup(), key=plain(window.key))
        content = json.dumps([window.title, window.data, window.layout, window.height])
        drawn = (environment, window.key)
        if self._content.get(drawn) == content:
            return
        try:
            client.draw(environment, window)
        except RefusedError as error:
            if drawn not in self._refused:
                self._refused.add(drawn)
                log.warning("%s of %s is not drawn: %s", window.title, environment, error)
        self._content[drawn] = content

    def draw_only(self, client: "Client", environment: str, windows: Iterable[Window]) -> None:
        """Draw windows, and close what else was drawn in their environment."""
        wanted = set()
        for window in windows:
            self.draw(client, environment, window)
            wanted.add((plain(environment), plain(window.key)))
        for drawn in [one for one in self._content if one[0] == plain(environment)]:
            if drawn not in wanted:
                client.close_window(*drawn)
                del self._content[drawn]

    def adopt(self, client: "Client", environment: str, prefix: str = "") -> None:
        """Take the windows whose names begin so for drawn, but not as they should be."""
        environment = plain(environment)
        if environment in client.environments():
            for key in client.windows_in(environment):
                if key.startswith(prefix):
                    self._content.setdefault((environment, key), "")

    def delete(self, client: "Client", environment: str) -> None:
        """Delete an environment, if it is there."""
        environment = plain(environment)
        if environment in client.environments():
            client.delete_environment(environment)
        for drawn in [one for one in self._content if one[0] == environment]:
            del self._content[drawn]
