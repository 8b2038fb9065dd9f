"""What differs between runs: of their settings, those that are not the same in all."""

from collections.abc import Mapping, Sequence
from typing import Any

from textgen.language import _


def differences(settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return of each run's settings only those that are not the same in all runs.

    Args:
        settings: of each run, flat: values by their names. One that a run has not is None.

    Returns:
        Of each run the same names, in the order in which they first come.
    """
    names = dict.fromkeys(name for one in settings for name in one)
    differing = [
        name for name in names if any(one.get(name) != settings[0].get(name) for one in settings)
    ]
    return [{name: one.get(name) for name in differing} for one in settings]


def telling(settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return of each run what tells it from the others, for a short label.

    Of what differs, a run goes without the value that most runs have.

    Args:
        settings: of each run, flat: values by their names. One that a run has not is None.
    """
    found = differences(settings)
    common = {}
    for name in found[0] if found else ():
        values = [one[name] for one in found]
        most = max(values, key=values.count)
        if 2 * values.count(most) > len(values):
            common[name] = most
    return [
        {name: value for name, value in one.items() if name not in common or value != common[name]}
        for one in found
    ]


def in_words(settings: Mapping[str, Any]) -> str:
    """Return settings as words for a label: ``hidden_size 256, cell gru, no counts``."""
    return _(", ").join(_in_words(name, value) for name, value in settings.items())


def _in_words(name: str, value: object) -> str:
    if value is None or value is False or value == ():
        return _("no {name}").format(name=name)
    return name if value is True else f"{name} {shown(value)}"


def shown(value: object) -> str:
    """Return a setting's value as people read it; what is left open is a hyphen."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "-"
    return str(value)
