"""Figures as people read them: sizes, ages, minutes."""

from textgen.language import _, marked

_UNITS = ("B", "kB", "MB", "GB", "TB")

_AGES = (
    (86_400, marked("{count:.0f} d")),
    (3600, marked("{count:.0f} h")),
    (60, marked("{count:.0f} min")),
    (1, marked("{count:.0f} s")),
)


def shown_figure(value: float | None, digits: int) -> str:
    """Return a figure with so many decimals; nothing where it was not measured."""
    return "" if value is None else f"{value:,.{digits}f}"


def shown_minutes(minutes: float | None) -> str:
    """Return minutes, of a short training with more decimals."""
    return shown_figure(minutes, 2 if minutes is not None and minutes < 1 else 1)


def shown_size(count: int) -> str:
    """Return bytes in the unit that goes with them."""
    size, unit = float(count), _UNITS[0]
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def shown_age(seconds: float) -> str:
    """Return how long ago something was, in one unit."""
    for length, template in _AGES:
        if seconds >= length:
            return _(template).format(count=seconds / length)
    return _("now")
