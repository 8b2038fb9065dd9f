"""What a run's record looks like: plots and texts as plain data, for Visdom and for the report.

Traces and layouts are plotly.js's own, so that both draw the same picture.
"""

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from textgen.runs.checkpoint import Run
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


def of_run(run: Run) -> Subject:
    """Return a run as something to draw."""

    def windows(entries: list[Entry]) -> list[Window]:
        return [*run_plots(run, entries), *run_texts(run, entries)]

    return Subject(run.name, run.record, windows)


def run_plots(run: Run, entries: list[Entry]) -> list[Window]:
    """Return a run's curves over its epochs."""
    trained = [entry for entry in entries if "perplexity" in entry]
    judged = [entry for entry in trained if "held_out_perplexity" in entry]
    end = max((entry["epoch"] for entry in trained), default=0.0)
    bits = run.trigram_bits
    trigram = [] if bits is None else [_level("trigram", bits, end)]
    # A trigram's perplexity is per character: it says nothing beside that of words.
    trigram_perplexity = (
        [] if bits is None or run.vocab.kind == "word" else [_level("trigram", 2**bits, end)]
    )
    return [
        plot(
            "perplexity",
            "Perplexity",
            f"perplexity per {run.vocab.kind}",
            [
                line("training", _series(trained, "perplexity"), BLUE),
                line("held out", _series(judged, "held_out_perplexity"), RED, markers=True),
                *trigram_perplexity,
            ],
            logarithmic=True,
        ),
        plot(
            "bits",
            "Bits per character, held out",
            "bits per character",
            [
                line(
                    "held out",
                    _series(judged, "held_out_bits_per_character"),
                    RED,
                    markers=True,
                ),
                *trigram,
            ],
        ),
        plot(
            "optimiser",
            "Learning rate and gradient norm",
            "gradient norm before clipping",
            [
                line("gradient norm", _series(trained, "gradient_norm"), BLUE),
                line("learning rate", _series(trained, "learning_rate"), GREEN) | {"yaxis": "y2"},
            ],
            right_axis="learning rate",
        ),
        plot(
            "speed",
            "Speed",
            f"{run.vocab.kind}s per second",
            [line("training", _series(trained, "tokens_per_second"), BLUE)],
        ),
    ]


def run_texts(run: Run, entries: list[Entry]) -> list[Window]:
    """Return the newest sample of generated text, and what the run was made with."""
    samples = [entry for entry in entries if "sample" in entry]
    newest = (
        f"<p style='color:{GREY}'>epoch {samples[-1]['epoch']:.2f}</p>"
        f"<p style='font-size:18px;line-height:1.7'>{_paragraphs(samples[-1]['sample'])}</p>"
        if samples
        else "<p>The first sample comes with the first evaluation.</p>"
    )
    rows = {
        "run": run.name,
        "text": ", ".join(file["path"] for file in run.config["files"]),
        "characters": f"{run.config['characters']:,}",
        "vocabulary": f"{len(run.vocab):,}",
        "steps": f"{run.plan.total_steps:,}",
        **{name: value for name, value in run.settings.flat().items() if value is not None},
        **run.config["versions"],
    }
    cells = "".join(
        f"<tr><td style='padding:1px 14px 1px 0;color:{GREY}'>{html.escape(str(name))}</td>"
        f"<td>{html.escape(str(value))}</td></tr>"
        for name, value in rows.items()
    )
    return [
        text("sample", "Newest sample", newest),
        text("settings", "Settings", f"<table style='font-size:13px'>{cells}</table>"),
    ]


def comparison_windows(records: dict[str, list[Entry]]) -> list[Window]:
    """Return the held-out curves of all runs, by their names, laid over each other."""

    def over(unit: Callable[[Entry], float]) -> list[Trace]:
        curves = (
            (name, [(unit(e), e[_BITS]) for e in entries if _BITS in e])
            for name, entries in records.items()
        )
        # Without a colour, plotly gives each run its own.
        lines = [line(name, points, None, markers=True) for name, points in curves if points]
        return lines or [line("no run yet", [], None)]  # Visdom refuses a plot of nothing

    return [
        plot(
            f"held-out-{unit}",
            f"Held out, all runs, by {label}",
            "bits per character",
            over(value),
            x_title=label,
        )
        for unit, label, value in (
            ("epochs", "epoch", lambda entry: entry["epoch"]),
            ("minutes", "minutes of training", lambda entry: entry["seconds"] / 60),
        )
    ]


_BITS = "held_out_bits_per_character"


def _series(entries: Iterable[Entry], name: str) -> Points:
    return [(entry["epoch"], entry[name]) for entry in entries if name in entry]


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


def _level(name: str, value: float, end: float) -> Trace:
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


def _paragraphs(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")
