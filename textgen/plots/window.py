"""What a plot or a text in a frame is, as plain data, for Visdom and for the pages alike.

Traces and layouts are plotly.js's own, so that both draw the same picture.
"""

import html
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from textgen.language import _
from textgen.runs.record import Entry, Record

_MOST_POINTS = 1000
"""Points of a series that are sent at most: more cannot be told apart on a screen."""


BLUE, RED, GREEN, GREY = "#4a90d9", "#c0392b", "#2e8b57", "#777777"

WIDTH = 560
"""Pixels of a window: two stand side by side on a screen."""

WIDE = 2 * WIDTH + 10
"""Pixels of one that has a row of its own."""

_LEGEND_LINE = 19
"""Pixels of a line in a legend that stands beside the curves."""

_TICKS = (2, 9)
"""Marks that a logarithmic axis has, at least and at most, if they are to be 10, 20, 50, 100."""


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
        height: in pixels.
        width: in pixels, on a screen; a phone has less.
    """

    key: str
    title: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    height: int = 340
    width: int = WIDTH

    def named(self, name: str) -> "Window":
        """Return the same plot under another name, which also stands above it."""
        title = {"title": {**self.layout["title"], "text": name}}
        return replace(self, key=name, title=name, layout={**self.layout, **title})

    def without_markup(self) -> "Window":
        """Return the same, its title and its curves' names shown as they are: plotly takes HTML."""

        def escaped(values: dict[str, Any], name: str) -> dict[str, Any]:
            if name not in values:
                return values
            return values | {name: html.escape(values[name], quote=False).replace("\n", "<br>")}

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
    x_title: str = "",
    logarithmic: bool = False,
    right_axis: str | None = None,
    beside: bool = False,
) -> Window:
    """Return curves in a frame.

    Args:
        key: its name.
        title: what stands above it.
        y_title: what is measured upwards.
        traces: the curves.
        x_title: what is measured to the right; epochs when not given.
        logarithmic: whether the scale upwards is.
        right_axis: what is measured at the right, by curves of the axis ``y2``.
        beside: whether the legend is long, and stands beside the curves, in a wide frame.
    """
    axis = {"gridcolor": "#e8e8e8", "zeroline": False, "automargin": True}
    layout: dict[str, Any] = {
        "title": {"text": title, "font": {"size": 16}, "x": 0.02, "xanchor": "left"},
        "xaxis": {"title": {"text": x_title or _("epoch")}, "rangemode": "tozero", **axis},
        "yaxis": {"title": {"text": y_title}, **axis}
        | (_logarithmic(traces) if logarithmic else {}),
        "showlegend": True,
        "legend": {"x": 1.02, "xanchor": "left", "y": 1}
        if beside
        else {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.13},
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
    if not beside:
        return Window(key, title, traces, layout)
    layout["hoverlabel"] = {"namelength": -1}
    lines = sum(trace["name"].count("\n") + 1 for trace in traces)
    return Window(key, title, traces, layout, max(340, 130 + _LEGEND_LINE * lines), WIDE)


def _logarithmic(traces: list[Trace]) -> dict[str, Any]:
    """Return what makes an axis logarithmic, with marks that read 10, 20, 50, 100.

    Left to itself plotly writes 2 for 20; with a format it does not. Where there would be too few
    of these marks, or too many, it chooses others.
    """
    axis = {"type": "log", "tickformat": "~g"}
    values = [y for trace in traces for y in trace["y"] if y is not None and y > 0]
    if values:
        low, high = min(values) * 0.9, max(values) * 1.1
        marks = sum(low <= mark <= high for mark in one_two_five())
        if _TICKS[0] <= marks <= _TICKS[1]:
            axis["dtick"] = "D2"
    return axis


def one_two_five() -> Iterator[float]:
    """Yield the marks of a logarithmic scale: 1, 2, 5, 10, and so on, from 0.00001 to 5,000,000."""
    return (digit * 10.0**power for power in range(-5, 7) for digit in (1, 2, 5))


def text(key: str, title: str, content: str) -> Window:
    """Return a text in HTML in a frame."""
    return Window(key, title, [{"type": "text", "content": content}], {})
