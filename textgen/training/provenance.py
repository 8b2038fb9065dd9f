"""Where a training came from: when, by which command, on which machine, with which programs.

A run's ``config.json`` has one such leg for each training that was done on it.
"""

import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from textgen.config import Settings
from textgen.version import __version__

_MASK = "***"

_SECRET = re.compile(r"(.*[-_])?(token|password|secret|key|auth)", re.IGNORECASE)
"""What an option, or a part of a URL's query, is called whose value is nobody else's business;
--tokens and --max-tokens are something else."""

_USER = re.compile(r"(?<=://)[^/?#\s]*@|^[^/?#\s:]+:[^/?#\s]+@")
_QUERY = re.compile(r"(?<=[?&#])([^=&#\s]+)=([^&#\s]*)")


def versions() -> dict[str, str]:
    """Return the versions of the programs that a training depends on."""
    return {"textgen": __version__, "torch": torch.__version__}


def leg(
    *,
    command: Sequence[str] | None,
    first_step: int,
    given: Mapping[str, Any],
    device: str,
    dtype: str,
) -> dict[str, Any]:
    """Return what is to be known of a training that begins now.

    Args:
        command: the words of the command line, if there was one.
        first_step: steps that were done before.
        given: settings that were asked for, by their names.
        device: where it is trained.
        dtype: the type of its matrix products.
    """
    return {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": command and shlex.join(masked(command)),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "device": device,
        "dtype": dtype,
        "versions": versions(),
        "first_step": first_step,
        "given": dict(given),
    }


def given(settings: Settings, before: Settings = Settings()) -> dict[str, Any]:
    """Return the settings that are others than before, by their names."""
    old = before.flat()
    return {name: value for name, value in settings.flat().items() if value != old[name]}


def masked(command: Sequence[str]) -> list[str]:
    """Return the words of a command line without the secrets that may stand in it.

    Those are the values of options such as ``--token``, and in a URL the user, the password and
    what is called a token.
    """
    words, hide = [], False
    for word in command:
        option, equals, _ = word.partition("=")
        is_secret = option.startswith("-") and _SECRET.fullmatch(option) is not None
        if hide and not word.startswith("--"):
            words.append(_MASK)
        elif is_secret and equals:
            words.append(f"{option}={_MASK}")
        else:
            words.append(_QUERY.sub(_hidden, _USER.sub(f"{_MASK}@", word)))
        hide = is_secret and not equals
    return words


def _hidden(part: re.Match[str]) -> str:
    return f"{part[1]}={_MASK}" if _SECRET.fullmatch(part[1]) else part[0]


def processor() -> str:
    """Return what the processor is called, as far as the system tells."""
    try:
        described = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        described = ""
    found = re.search(r"^model name\s*:\s*(.+)$", described, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()
