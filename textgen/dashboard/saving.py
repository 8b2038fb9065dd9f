"""The environments on the disk: a file for each, whole or not there."""

import json
import logging
from pathlib import Path

from visdom.server.app import Application

from textgen.dashboard.names import is_plain
from textgen.errors import TextgenError
from textgen.files import write_atomically
from textgen.names import readable

log = logging.getLogger(__name__)


def save_all(application: Application) -> None:
    """Write every environment; one that cannot be written does not keep the others from it.

    Raises:
        TextgenError: none could be written.
    """
    folder = Path(application.env_path)
    failures: list[TextgenError] = []
    for name, content in list(application.state.items()):
        try:
            write_atomically(folder / f"{name}.json", json.dumps(dict(content)).encode())
        except (TextgenError, ValueError, TypeError, RecursionError) as error:
            failures.append(
                TextgenError(
                    "{path} is not saved: {error}", path=readable(str(folder / name)), error=error
                )
            )
    if failures and len(failures) == len(application.state):
        raise failures[0]
    for failure in failures:
        log.warning("%s", failure)


def set_aside_what_is_broken(folder: Path) -> None:
    """Rename saved environments that Visdom cannot read: 0.2.4 would not start, 0.3 empty them.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.json"):
        if not is_plain(file.stem) or not _is_environment(file):
            aside = file.replace(file.with_suffix(".broken"))
            log.warning(
                "%s is no environment of Visdom; it is now %s", readable(file), readable(aside)
            )


def _is_environment(file: Path) -> bool:
    try:
        content = json.loads(file.read_bytes())
        return (
            isinstance(content["jsons"], dict)
            and isinstance(content["reload"], dict)
            and all(isinstance(window, dict) for window in content["jsons"].values())
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
