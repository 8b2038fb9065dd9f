"""The one module that imports visdom (which takes a second, so it is imported late)."""

import ipaddress
import logging
import math
from urllib.parse import urlsplit

import requests
import visdom

_TIMEOUTS = (0.5, 3.0)
"""Seconds to connect, and to answer; visdom itself waits for ever."""

logging.getLogger("visdom").setLevel(logging.ERROR)  # it warns of every new session


class Client(visdom.Visdom):
    """A Visdom client that never waits for long, and raises ``OSError`` when it fails.

    Args:
        url: the server's address; the port is 8097 when it names none.
        env: the Visdom environment to draw in.
    """

    def __init__(self, url: str, env: str) -> None:
        address = urlsplit(url if "//" in url else f"http://{url}")
        self._environment = env
        self._http = requests.Session()
        # For an address on this machine, a proxy in the environment is never meant.
        self._http.trust_env = not _is_loopback(address.hostname or "")
        super().__init__(
            server=f"{address.scheme}://{address.hostname}",
            port=address.port or 8097,
            base_url=address.path.rstrip("/") or "/",
            env=env,
            raise_exceptions=True,
            use_incoming_socket=False,
        )

    def _handle_post(self, url: str, data: str | None = None) -> str:
        response = self._http.post(url, data=data or "{}", timeout=_TIMEOUTS)
        response.raise_for_status()
        return response.text

    def draw_lines(
        self,
        window: str,
        title: str,
        x_label: str,
        y_label: str,
        series: dict[str, list[tuple[float, float]]],
    ) -> None:
        """Draw a window anew, whole: each series is a list of points (x, y)."""
        traces = [
            {
                "name": name,
                "x": [x for x, _ in points],
                "y": [y if math.isfinite(y) else None for _, y in points],
                "type": "scatter",
                "mode": "lines+markers" if len(points) < 50 else "lines",
            }
            for name, points in series.items()
            if points
        ]
        layout = {
            "title": {"text": title},
            "xaxis": {"title": {"text": x_label}},
            "yaxis": {"title": {"text": y_label}, "type": "log"},
            "showlegend": True,
            "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
        }
        self._send(
            {
                "data": traces,
                "win": window,
                "eid": self._environment,
                "layout": layout,
                "opts": {"title": title},
            }
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
