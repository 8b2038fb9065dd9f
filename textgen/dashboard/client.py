"""The one module that imports visdom's client (which takes a second, so it is imported late)."""

import json
import logging
from typing import Any
from urllib.parse import SplitResult

import requests
import visdom

from textgen.addresses import is_loopback
from textgen.language import _
from textgen.names import readable
from textgen.plots.window import Window

_TIMEOUTS = (0.5, 3.0)
"""Seconds to connect, and to answer; visdom itself waits for ever."""

_ASKS_FOR_LOGIN = (requests.codes.bad_request, requests.codes.unauthorized)
"""How Visdom 0.2.4 says so, and 0.3."""

logging.getLogger("visdom").setLevel(logging.ERROR)  # it warns of every new session


class RefusedError(Exception):
    """The server lives, and does not take this window."""


class Client(visdom.Visdom):
    """A Visdom client that never waits for long.

    Args:
        address: the server's address, with scheme, host and port.
        token: what it asks for; none where it asks for nothing.

    Raises:
        OSError: from here and from every call, when the server cannot be reached in time, wants
            a login, or does not answer as Visdom does.
    """

    def __init__(self, address: SplitResult, token: str | None = None) -> None:
        self._url = f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}"
        self._http = requests.Session()
        # For an address on this machine, a proxy in the environment is never meant.
        self._http.trust_env = not is_loopback(address.hostname or "")
        if token is not None:
            self._http.headers["Authorization"] = f"token {token}"
        super().__init__(
            server=f"{address.scheme}://{address.netloc.rpartition(':')[0]}",
            port=address.port or 80,
            base_url=address.path.rstrip("/") or "/",
            raise_exceptions=True,
            use_incoming_socket=False,
        )

    def _handle_post(self, url: str, data: str | None = None) -> str:
        try:
            response = self._http.post(url, data=data or "{}", timeout=_TIMEOUTS)
        except requests.Timeout:
            raise OSError(_("it does not answer in time")) from None
        except requests.ConnectionError:
            raise OSError(_("the connection was refused or broken off")) from None
        if response.status_code in _ASKS_FOR_LOGIN:
            raise OSError(_("it wants a login, which textgen does not support"))
        if response.status_code == requests.codes.forbidden:
            raise OSError(
                _(
                    "it is another user's, or wants a token: give --visdom the URL that "
                    "textgen monitor --token prints"
                )
            )
        if response.status_code == requests.codes.unprocessable_entity:
            raise RefusedError(readable(response.text[:200].strip()))
        if not response.ok:
            status = _("it answers with status {status}")
            raise OSError(status.format(status=response.status_code))
        if "<html" in response.text[:200].lower():
            raise OSError(_("what answers there is a web page, and no Visdom"))
        return response.text

    def has(self, environment: str, key: str) -> bool:
        """Return whether there is a window of that name."""
        found = self._send({"eid": environment, "win": key}, endpoint="win_exists")
        return json.loads(found) is True

    def draw(self, environment: str, window: Window) -> None:
        """Draw a window, in place of the one of that name if there is one.

        Raises:
            RefusedError: the server does not take it.
        """
        message: dict[str, Any] = {
            "win": window.key,
            "eid": environment,
            "data": window.data,
            "layout": window.layout,
            "opts": {"title": window.title, "width": window.width, "height": window.height},
        }
        self._send(message)

    def environments(self) -> list[str]:
        """Return the names of all environments."""
        # Not by _send: that names an environment, of which 0.3 then tells the windows.
        return list(map(str, json.loads(self._handle_post(f"{self._url}/env_state"))))

    def windows_in(self, environment: str) -> list[str]:
        """Return the names of all windows of an environment that is there."""
        return list(json.loads(self.get_window_data(win=None, env=environment)))

    def close_window(self, environment: str, key: str) -> None:
        """Close a window."""
        self._send({"eid": environment, "win": key}, endpoint="close")

    def delete_environment(self, environment: str) -> None:
        """Delete an environment that is there."""
        self._send({"eid": environment}, endpoint="delete_env")
