"""Settings as a file that ``train --config`` reads: TOML, or the ``config.json`` of a run."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textgen.config import NOWHERE
from textgen.errors import UsageError


def to_toml(settings: Mapping[str, Any]) -> str:
    """Return settings as TOML; those that are left open are only named, in comments."""
    lines = (
        f"# {name} is left open" if value is None else f"{name} = {_toml(value)}"
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
        raise UsageError(f"--config {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(
            f"--config {path} is not UTF-8: it must be TOML, or a run's JSON"
        ) from None
    is_json = text.lstrip().startswith("{")
    try:
        values = json.loads(text) if is_json else tomllib.loads(text)
    except RecursionError:
        raise UsageError(f"--config {path} is nested too deeply") from None
    except ValueError as error:
        kind = "JSON" if is_json else "TOML"
        raise UsageError(f"--config {path} is not {kind}: {error}") from None
    if is_json:
        values = values.get("settings", values)
        if not isinstance(values, dict):
            raise UsageError(f"--config {path} has no settings: it is no config.json of a run")
    for name in values:
        if name.replace("_", "-").startswith("no-"):
            raise UsageError(f"--config {path} has {name}: write {name[3:]} = false instead")
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
