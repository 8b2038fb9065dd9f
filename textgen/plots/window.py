"""What a plot or a text in a frame is, as plain data, for Visdom and for the pages alike.

Traces and layouts are plotly.js's own, so that both draw the same picture.
"""

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from textgen.runs.record import Entry, Record

_MOST_POINTS = 1000
"""Points of a series that are sent at most: more cannot be told apart on a screen."""


BLUE, RED, GREEN, GREY = "#4a90d9", "#c0392b", "#2e8b57", "#777777"


Trace = dict[str, Any]


Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Window:
    """Something drawn in a frame of its own.

    Args:
        key: its name among the windows of a run.
        title: what stands above it.
        data: plotly's traces, or Visdom's text.
        layout: plotly's layout; empty for a text.
        height: in pixels; the width is the same for all.
    """

    key: str
    title: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    height: int = 340

    def named(self, name: str) -> "Window":
        """Return the same plot under another name, which also stands above it."""
        title = {"title": {**self.layout["title"], "text": name}}
        return replace(self, key=name, title=name, layout={**self.layout, **title})

    def without_markup(self) -> "Window":
        """Return the same, its title and its curves' names as they are: plotly takes HTML there."""

        def escaped(values: dict[str, Any], name: str) -> dict[str, Any]:
            text = {name: html.escape(values[name], quote=False)} if name in values else {}
            return values | text

        title = {"title": escaped(self.layout["title"], "text")} if "title" in self.layout else {}
        data = [escaped(trace, "name") for trace in self.data]
        return replace(self, data=data, layout=self.layout | title)


@dataclass(frozen=True)
class Subject:
    """Something with figures to draw: a run, or the sanity suite.

    Args:
        name: what it is called.
        record: where its figures are.
        windows: turns them into windows, always in the same order.
    """

    name: str
    record: Record
    windows: Callable[[list[Entry]], list[Window]]


def thin(points: Points, most: int = _MOST_POINTS) -> Points:
    """Return at most so many of the points, evenly, with the first and the last one."""
    if len(points) <= most:
        return points
    return [points[i * (len(points) - 1) // (most - 1)] for i in range(most)]


def line(name: str, points: Points, color: str | None, *, markers: bool = False) -> Trace:
    """Return a curve; without a colour, plotly chooses one."""
    thinned = thin(points)
    return {
        "name": name,
        "x": [x for x, _ in thinned],
        # JSON has no infinity and no NaN: a hole in the line instead.
        "y": [y if math.isfinite(y) else None for _, y in thinned],
        "type": "scatter",
        "mode": "lines+markers" if markers else "lines",
        "line": {"width": 2} | ({"color": color} if color else {}),
        "marker": {"size": 5},
    }


def level(name: str, value: float, end: float) -> Trace:
    """Return a straight line at a value, from 0 to the end."""
    trace = line(name, [(0.0, value), (end, value)], GREY)
    return trace | {"line": {"width": 1.5, "color": GREY, "dash": "dash"}}


def plot(
    key: str,
    title: str,
    y_title: str,
    traces: list[Trace],
    *,
    x_title: str = "epoch",
    logarithmic: bool = False,
    right_axis: str | None = None,
) -> Window:
    """Return curves in a frame."""
    axis = {"gridcolor": "#e8e8e8", "zeroline": False, "automargin": True}
    layout: dict[str, Any] = {
        "title": {"text": title, "font": {"size": 16}, "x": 0.02, "xanchor": "left"},
        "xaxis": {"title": {"text": x_title}, "rangemode": "tozero", **axis},
        "yaxis": {"title": {"text": y_title}, **axis}
        | ({"type": "log", "dtick": "D2"} if logarithmic else {}),
        "showlegend": True,
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.13},
        "margin": {"l": 60, "r": 60 if right_axis else 24, "t": 60, "b": 60},
        "font": {"family": "sans-serif", "size": 12},
        "plot_bgcolor": "white",
        "paper_bgcolor": "white",
    }
    if right_axis is not None:
        layout["yaxis2"] = {
            "title": {"text": right_axis},
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
        }
    return Window(key, title, traces, layout)


def text(key: str, title: str, content: str) -> Window:
    """Return a text in HTML in a frame."""
    return Window(key, title, [{"type": "text", "content": content}], {})
