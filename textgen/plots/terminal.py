"""Curves in characters, for a terminal: ASCII alone but for the words."""

import itertools
import unicodedata
from collections.abc import Mapping

from textgen.plots.window import Points

_HEIGHT = 14
_LABEL = 6
"""Columns for the figures at the left."""


def text_plot(curves: Mapping[str, Points], x_title: str, y_title: str, width: int) -> list[str]:
    """Return curves as lines of text.

    Each is drawn with a letter: a capital where it was measured, a small one in between. Where two
    meet, the first is seen.

    Args:
        curves: points by capital letters, from left to right; a curve may have none.
        x_title: what is measured to the right.
        y_title: what is measured upwards.
        width: columns that a line may take.
    """
    points = [point for curve in curves.values() for point in curve]
    if not points:
        return []
    right = max(x for x, _ in points) or 1.0
    bottom, top = min(y for _, y in points), max(y for _, y in points)
    if top == bottom:
        bottom, top = bottom - 0.5, top + 0.5
    columns = max(width - _LABEL - 2, 8)

    def place(x: float, y: float) -> tuple[int, int]:
        column = round(x / right * (columns - 1))
        return column, round((top - y) / (top - bottom) * (_HEIGHT - 1))

    grid = [[" "] * columns for _ in range(_HEIGHT)]
    for letter, curve in reversed(list(curves.items())):
        places = [place(x, y) for x, y in curve]
        for (x0, y0), (x1, y1) in itertools.pairwise(places):
            for column in range(x0 + 1, x1):
                row = round(y0 + (y1 - y0) * (column - x0) / (x1 - x0))
                grid[row][column] = letter.lower()
        for column, row in places:
            grid[row][column] = letter
    lines = [_at_the_right(y_title, _LABEL)]
    for number, drawn in enumerate(grid):
        y = top - (top - bottom) * number / (_HEIGHT - 1)
        label = f"{y:.2f}" if number % (_HEIGHT // 2) == 0 or number == _HEIGHT - 1 else ""
        lines.append(f"{label:>{_LABEL}} |{''.join(drawn)}".rstrip())
    end = f"{right:.3g} {x_title}"
    lines.append(f"{'':{_LABEL}} +{'-' * columns}")
    lines.append(f"{'':{_LABEL}}  0{_at_the_right(end, columns - 1)}")
    return lines


def _at_the_right(text: str, columns: int) -> str:
    """Return a text with spaces before it; Chinese characters are two columns wide."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return text.rjust(columns - wide)
