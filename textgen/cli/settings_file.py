"""Settings as a file that ``train --config`` reads: TOML, or the ``config.json`` of a run."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textgen.config import NOWHERE
from textgen.errors import UsageError, os_reason
from textgen.language import _


def to_toml(settings: Mapping[str, Any]) -> str:
    """Return settings as TOML; those that are left open are only named, in comments."""
    lines = (
        _("# {name} is left open").format(name=name)
        if value is None
        else f"{name} = {_toml(value)}"
        for name, value in settings.items()
    )
    return "".join(f"{line}\n" for line in lines)


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings in a file.

    Raises:
        UsageError: it cannot be read, or holds none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "--config {path} cannot be read: {reason}", path=path, reason=os_reason(error)
        ) from None
    except ValueError:
        raise UsageError(
            "--config {path} is not UTF-8: it must be TOML, or a run's JSON", path=path
        ) from None
    is_json = text.lstrip().startswith("{")
    try:
        values = json.loads(text) if is_json else tomllib.loads(text)
    except RecursionError:
        raise UsageError("--config {path} is nested too deeply", path=path) from None
    except ValueError as error:
        kind = "JSON" if is_json else "TOML"
        raise UsageError(
            "--config {path} is not {kind}: {error}", path=path, kind=kind, error=str(error)
        ) from None
    if is_json:
        values = values.get("settings", values)
        if not isinstance(values, dict):
            raise UsageError(
                "--config {path} has no settings: it is no config.json of a run", path=path
            )
    for name in values:
        if name.replace("_", "-").startswith("no-"):
            raise UsageError(
                "--config {path} has {name}: write {setting} = false instead",
                path=path,
                name=name,
                setting=name[3:],
            )
    if values.get("visdom") is False:
        values["visdom"] = NOWHERE  # TOML has no word for no value
    return values


def _toml(value: Any) -> str:  # noqa: ANN401 - of any setting's type
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return repr(value)
    # JSON's strings, numbers and words are TOML's, but for one character that TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
