"""A plot as an SVG file, for pages that run no scripts, such as a README.

Shapes: n points of a curve.
"""

import html
import math

from textgen.plots.window import Window, one_two_five

_WIDTH, _HEIGHT = 720, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 24, 44, 46
_MOST_TICKS = 12
_TEXT = "#333"
_GRID = "#e4e4e4"


def svg(window: Window, title: str) -> str:
    """Return a window's curves over a logarithmic scale as an SVG picture.

    Args:
        window: what is drawn; values that are not above 0 are left out.
        title: what stands above it.
    """
    curves = [(trace, _drawable(trace["x"], trace["y"])) for trace in window.data]
    curves = [(trace, points) for trace, points in curves if points]
    levels = [y for _, points in curves for _, y in points] or [1.0]
    low, high = math.log(min(levels) * 0.9), math.log(max(levels) * 1.1)
    end = max((x for _, points in curves for x, _ in points), default=0.0) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + (_WIDTH - _LEFT - _RIGHT) * x / end
        return across, _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - math.log(y)) / (high - low)

    font = f'font-family="sans-serif" font-size="13" fill="{_TEXT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {font}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_LEFT, 24, title, 'font-size="16" font-weight="bold"'),
    ]
    middle, right = 'text-anchor="middle"', 'text-anchor="end"'
    parts += [
        _text(place(x, 1.0)[0], _HEIGHT - _BOTTOM + 20, f"{x}", middle)
        for x in range(0, math.floor(end) + 1, math.ceil((end + 1) / _MOST_TICKS))
    ]
    for tick in one_two_five():
        if low < math.log(tick) < high:
            parts.append(_line([place(0, tick), place(end, tick)], _GRID, 1))
            parts.append(_text(_LEFT - 8, place(0, tick)[1] + 4, f"{tick:g}", right))
    axis = window.layout["xaxis"]["title"]["text"]
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, axis, middle))
    for number, (trace, points) in enumerate(curves):
        style = trace["line"]
        color, dash = style.get("color", _TEXT), "6 5" if "dash" in style else ""
        placed, opacity = [place(x, y) for x, y in points], trace.get("opacity", 1)
        if trace["mode"] == "markers":
            parts += [_dot(point, color, opacity) for point in placed]
        else:
            parts.append(_line(placed, color, style["width"], dash))
        legend = f'{right} style="fill:{color};opacity:{opacity}"'
        parts.append(_text(_WIDTH - _RIGHT - 8, _TOP + 20 + 20 * number, trace["name"], legend))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _drawable(xs: list[float], ys: list[float | None]) -> list[tuple[float, float]]:
    """Return the points (n) that a logarithmic scale has a place for."""
    return [(x, y) for x, y in zip(xs, ys, strict=True) if y is not None and y > 0]


def _line(points: list[tuple[float, float]], color: str, width: float, dash: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}" '
        f'stroke-dasharray="{dash}"/>'
    )


def _dot(point: tuple[float, float], color: str, opacity: float) -> str:
    x, y = point
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}" opacity="{opacity}"/>'


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{html.escape(words)}</text>'
