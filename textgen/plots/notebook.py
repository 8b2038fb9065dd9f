"""What a notebook shows of a run: the curve of its perplexity, as a picture."""

from textgen.plots.picture import svg
from textgen.plots.run import run_plots
from textgen.runs.folder import Run

_WIDTH = 720
"""Pixels across at most; a notebook would have it as wide as the page."""


def picture_of(run: Run) -> str:
    """Return a run's perplexity over its epochs, in HTML that needs no script."""
    perplexity, *_ = run_plots(run, run.metrics)
    picture = svg(perplexity, f"Perplexity of {run.name}")
    return f'<div style="max-width:{_WIDTH}px">{picture}</div>'
