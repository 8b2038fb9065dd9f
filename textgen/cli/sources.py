"""Where a command's settings come from: its flags, a file, a preset, the run to resume.

What stands to the left wins. cyclopts reads the flags, calls ``fill_in``, and then converts.
"""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App, ArgumentCollection
from cyclopts.config import Dict

from textgen.cli.process import command_line
from textgen.cli.remembered import remembered
from textgen.cli.settings_file import read_settings
from textgen.config import DEFAULT_CHECKPOINTS, PRESETS
from textgen.errors import UsageError

if TYPE_CHECKING:
    from textgen.runs.folder import Run


def fill_in(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Fill in what no flag gave: from --config, then from --preset or the run to resume.

    At the prompt it comes from the last time. cyclopts calls this between reading the flags and
    converting them.
    """
    _refuse_fractions(arguments)
    _refuse_options_as_texts(arguments)
    if commands == ("write",) and sys.stdin.isatty() and sys.stdout.isatty():
        Dict(remembered(), use_commands_as_keys=False, source="last time")(app, commands, arguments)
    if commands == ("train",):
        _fill_in_training(app, commands, arguments)


def _fill_in_training(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    def given(name: str) -> str | None:
        for argument in arguments:
            if name in argument.names and argument.tokens:
                return argument.tokens[0].value
        return None

    def fill(values: dict[str, Any], source: str) -> None:
        known = {key: value for key, value in values.items() if value is not None}
        Dict(known, use_commands_as_keys=False, source=source)(app, commands, arguments)

    if path := given("--config"):
        if (repeated := repeated_run(Path(path))) is None:
            fill(read_settings(Path(path)), path)
        else:
            another = given("--epochs") or given("--minutes")  # length than that of the run
            settings = repeated.settings.with_length() if another else repeated.settings
            fill(settings.flat(), path)
    if preset := given("--preset"):
        fill(PRESETS.get(preset, {}), f"preset {preset}")  # an unknown one is refused later
    _require_kind(given("--tokens"), _positional(arguments))
    if given("--resume") in ("", "true", "True"):  # a bare flag has an empty value
        from textgen.runs.finding import find_run

        if given("--name") is not None:
            raise UsageError("--name is for a new run; the run to resume stands after --resume")
        checkpoints = Path(given("--checkpoints") or DEFAULT_CHECKPOINTS)
        run = find_run(checkpoints, run_named(_positional(arguments)))
        fill(run.settings.with_length().flat(), str(run.folder / "config.json"))


def repeated_run(config: Path) -> "Run | None":
    """Return the run that a file for --config is the config.json of, if it is one's.

    Raises:
        TextgenError: the run is damaged.
    """
    from textgen.runs.folder import Run

    folder = config if config.is_dir() else config.parent
    is_one = config.name == "config.json" or config.is_dir()
    return Run(folder) if is_one and (folder / "vocab.json").is_file() else None


def run_before_restart() -> "Run | None":
    """Return the run that goes on, if torchrun has started this process in a lost one's place."""
    if not os.environ.get("TORCHELASTIC_RESTART_COUNT", "0").strip("0"):
        return None
    from textgen.runs.folder import Run
    from textgen.training.leading import noted_run

    folder = noted_run()
    return None if folder is None else Run(folder)


def _require_kind(kind: str | None, files: tuple[str, ...]) -> None:
    """Refuse another kind of token than that of a store, also the usual one.

    Settings do not tell who asked for what is usual from who asked for nothing.
    """
    if kind is None or (folder := store_named(files)) is None:
        return
    from textgen.text.store import Store

    built = Store(folder).settings.tokens
    if kind != built:
        raise UsageError(
            "--{flag} is settled when a store is built, and in {path} it is {value}: leave "
            "it out, or build another one",
            flag="tokens",
            path=folder,
            value=built,
        )


def _positional(arguments: ArgumentCollection) -> tuple[str, ...]:
    files = next(argument for argument in arguments if "FILES" in argument.names)
    return tuple(token.value for token in files.tokens)


def _refuse_fractions(arguments: ArgumentCollection) -> None:
    """Refuse 1.5 where a whole number is asked for; cyclopts would round it."""
    for argument in arguments:
        for token in argument.tokens if argument.hint in (int, int | None) else ():
            if re.fullmatch(r"[+-]?\d+\.\d*", token.value):
                raise UsageError(
                    "{flag} is {value}: it must be a whole number",
                    flag=argument.name,
                    value=token.value,
                )


def _refuse_options_as_texts(arguments: ArgumentCollection) -> None:
    """Refuse --prefix --seed 1: a text may begin with a hyphen, but who writes that forgot it."""
    options = {name for argument in arguments for name in argument.names if name.startswith("--")}
    for argument in arguments:
        if not argument.parameter.allow_leading_hyphen:
            continue
        for token in argument.tokens:
            written = f"{argument.name}={token.value}"
            if token.value in options and written not in command_line():
                raise UsageError(
                    "{flag} needs a value, and {option} is an option: write {written} if that is "
                    "meant",
                    flag=argument.name,
                    option=token.value,
                    written=written,
                )


def run_named(files: tuple[str, ...]) -> str | None:
    """Return the name of the run that stands where a new training has its files, if any."""
    from textgen.text.store import is_store

    runs = [file for file in files if not is_store(file)]
    if len(runs) > 1:
        raise UsageError("--resume takes one run; it goes on with the text that the run has")
    return runs[0] if runs else None


def store_named(files: tuple[str, ...]) -> Path | None:
    """Return the store among files, if there is one: of a run to resume, where its own is now."""
    from textgen.text.store import is_store

    return next((Path(file) for file in files if is_store(file)), None)
