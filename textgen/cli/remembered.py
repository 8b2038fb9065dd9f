"""How somebody sampled last at the prompt, kept from one session to the next.

With the user's own, as what was typed: nobody else can read it.
"""

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from textgen.config import GenerationConfig
from textgen.errors import UsageError

_NOT_KEPT = ("seed", "stop")
"""Settings that belong to one text."""


def state_folder() -> Path | None:
    """Return the folder for what is remembered; none where the user has no home."""
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        return None
    return Path(state) / "textgen"


def remember(config: GenerationConfig) -> None:
    """Keep what differs from the usual; where that cannot be, it is forgotten."""
    if (folder := state_folder()) is None:
        return
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "sampling.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(changed(config)), "utf-8")


def remembered() -> dict[str, Any]:
    """Return what was kept; nothing where it is damaged."""
    if (folder := state_folder()) is None:
        return {}
    try:
        values = json.loads((folder / "sampling.json").read_text("utf-8"))
        return changed(GenerationConfig(**values))
    except (OSError, ValueError, TypeError, UsageError):
        return {}


def changed(config: GenerationConfig) -> dict[str, Any]:
    """Return the settings that are worth keeping, and not the usual ones."""
    usual = asdict(GenerationConfig())
    return {
        name: value
        for name, value in asdict(config).items()
        if value != usual[name] and name not in _NOT_KEPT
    }
