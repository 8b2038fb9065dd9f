"""``textgen runs``: all runs, one of them, several beside each other, and what is done to them."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from textgen.cli.comparison import LETTERS, comparison_values, print_comparison
from textgen.cli.help import ARGUMENTS, OPTIONS
from textgen.cli.one_run import print_run, run_values
from textgen.cli.parameters import CHECKPOINTS, Checkpoints, Json, RunName, RunNames
from textgen.cli.printer import print_text, print_wrapped
from textgen.cli.results import print_json
from textgen.cli.shown import shown_age, shown_figure, shown_minutes, shown_size
from textgen.cli.tables import Column, print_table
from textgen.errors import TextgenError, UsageError
from textgen.language import _, marked
from textgen.names import readable

if TYPE_CHECKING:
    from textgen.runs.folder import Run
    from textgen.runs.summary import Summary

log = logging.getLogger(__name__)

Sort = Literal["name", "text", "size", "minutes", "bits", "trigram", "age"]
"""Columns of the table."""

_KEYS: dict[Sort, Callable[["Summary"], Any]] = {
    "name": lambda summary: summary.run.name,
    "text": lambda summary: summary.text,
    "size": lambda summary: summary.size,
    "minutes": lambda summary: summary.minutes,
    "bits": lambda summary: summary.bits,
    "trigram": lambda summary: summary.run.trigram_bits,
    "age": lambda summary: summary.age,
}

_FIGURES = (
    *(marked("size"), marked("minutes"), marked("bits")),
    *(marked("trigram"), marked("age")),
)

_SEEN = "*"
"""What stands at the bits of a text that the model knows."""

runs_app = App(
    name="runs",
    help="Look at the runs there are, compare, rename, remove, export them.",
    group_parameters=OPTIONS,
)


@runs_app.default
def list_runs(
    *, sort: Sort = "age", checkpoints: Checkpoints = CHECKPOINTS, as_json: Json = False
) -> None:
    """List all runs, the newest first.

    Args:
        sort: Column to sort by, the least first.
        checkpoints: Folder in which the runs are.
        as_json: Print the list as one JSON line.
    """
    from textgen.runs.summary import Summary

    key = _KEYS[sort]
    summaries = [Summary.of(run) for run in _all_runs(checkpoints)]
    ordered = sorted(summaries, key=lambda one: (key(one) is None, key(one)))
    if as_json:
        print_json(runs=[run_values(summary) for summary in ordered])
        return
    if not ordered:
        log.info("There is no run in %s yet; make one with: textgen train FILE", checkpoints)
        return
    columns = (
        *(Column(_("name"), wraps=True), Column(_("text"), wraps=True)),
        *(Column(_(title), right=True) for title in _FIGURES),
    )
    print_table(columns, [_row(summary) for summary in ordered])
    if any(_is_seen(summary) for summary in ordered):
        seen = _("much of what is held out stands in the training text: textgen show")
        print_wrapped(f"{_SEEN} {seen}")


@runs_app.command
def show(
    run: RunName = None, *, checkpoints: Checkpoints = CHECKPOINTS, as_json: Json = False
) -> None:
    """Show a run: what differs from the defaults, its figures, its last sample.

    Args:
        run: Name of the run, its beginning, or its folder; the newest when not given.
        checkpoints: Folder in which the runs are.
        as_json: Print it as one JSON line.
    """
    from textgen.runs.summary import Summary
    from textgen.runs.trained import find_to_write

    summary = Summary.of(find_to_write(checkpoints, run))
    if as_json:
        print_json(**run_values(summary, whole=True))
    else:
        print_run(summary)


@runs_app.command
def compare(*runs: RunNames, checkpoints: Checkpoints = CHECKPOINTS, as_json: Json = False) -> None:
    """Compare runs: what differs, the figures, and the curves, in the terminal.

    Args:
        runs: Names of runs; one is compared with the newest other, none are the two newest.
        checkpoints: Folder in which the runs are.
        as_json: Print it as one JSON line.
    """
    from textgen.runs.finding import newest_checkpoints
    from textgen.runs.folder import Run
    from textgen.runs.summary import Summary
    from textgen.runs.trained import find_to_write

    found = [find_to_write(checkpoints, name) for name in runs]
    for path in reversed(newest_checkpoints(checkpoints)):
        if len(found) < 2 and path.parent.resolve() not in [run.folder.resolve() for run in found]:
            found.append(Run(path.parent))
    if len(found) < 2:
        raise TextgenError(
            "{folder} has fewer than two runs to compare: train another one", folder=checkpoints
        )
    if len(found) > len(LETTERS):
        raise UsageError(
            "compare takes {most} runs at most, and these are {count}",
            most=len(LETTERS),
            count=len(found),
        )
    summaries = [Summary.of(run) for run in found]
    if as_json:
        print_json(**comparison_values(summaries))
    else:
        print_comparison(summaries)


@runs_app.command(name="rm")
def remove(
    *runs: RunNames,
    yes: Annotated[bool, Parameter(negative="")] = False,
    checkpoints: Checkpoints = CHECKPOINTS,
) -> None:
    """Remove runs, after asking.

    Args:
        runs: Names of the runs.
        yes: Do not ask.
        checkpoints: Folder in which the runs are.
    """
    from textgen.runs.finding import find_folder
    from textgen.runs.folder import name_of
    from textgen.runs.moving import remove as remove_run
    from textgen.runs.moving import require_own
    from textgen.runs.summary import size_of

    if not runs:
        raise UsageError("runs rm needs the name of a RUN to remove: textgen runs lists them")
    folders = list(dict.fromkeys(find_folder(checkpoints, name) for name in runs))
    for folder in folders:
        require_own(folder)
    if not yes:
        names = _(", ").join(f"{name_of(one)} ({shown_size(size_of(one))})" for one in folders)
        _require_yes(_("Remove {names} for good?").format(names=names))
    for folder in folders:
        remove_run(folder)
        log.info("%s is removed", folder)


@runs_app.command(name="mv")
def rename(
    run: RunNames,
    name: Annotated[str, Parameter(group=ARGUMENTS)],
    *,
    checkpoints: Checkpoints = CHECKPOINTS,
) -> None:
    """Give a run another name.

    Args:
        run: Name of the run.
        name: Its new name.
        checkpoints: Folder in which the runs are.
    """
    from textgen.runs.finding import find_folder
    from textgen.runs.moving import rename as rename_run

    print_text(rename_run(find_folder(checkpoints, run), name))


@runs_app.command
def export(
    run: RunNames,
    out: Annotated[Path | None, Parameter(group=ARGUMENTS)] = None,
    *,
    text: Annotated[bool, Parameter(negative="")] = False,
    checkpoints: Checkpoints = CHECKPOINTS,
) -> None:
    """Write a run into a zip to give away: weights, vocabulary, settings, a card.

    Args:
        run: Name of the run; the newest where only OUT is given.
        out: The file, OUT.zip, one that is not there yet.
        text: With the text, and the counts that give it away; the run then writes as it does here.
        checkpoints: Folder in which the runs are.
    """
    from textgen.evaluation.overlap import held_out_remarks
    from textgen.runs.export import export as export_run
    from textgen.runs.trained import find_to_write

    name: str | None = run
    if out is None:
        name, out = None, Path(run)
        if out.suffix != ".zip":
            raise UsageError(
                "runs export needs a file: textgen runs export {run} {run}.zip", run=run
            )
    if out.exists():
        raise UsageError("{path} exists already: choose another name", path=out)
    found = find_to_write(checkpoints, name)
    export_run(found, out, text=text, remarks=held_out_remarks(found))
    print_text(out)


def _row(summary: "Summary") -> tuple[str, ...]:
    return (
        summary.run.name,
        summary.text,
        shown_size(summary.size),
        shown_minutes(summary.minutes),
        shown_figure(summary.bits, 3) + _SEEN * _is_seen(summary),
        shown_figure(summary.run.trigram_bits, 3),
        shown_age(summary.age),
    )


def _is_seen(summary: "Summary") -> bool:
    """Return whether its bits may not stand there without a word."""
    from textgen.evaluation.overlap import recorded_overlap

    overlap = recorded_overlap(summary.run.config)
    return summary.bits is not None and overlap is not None and not overlap.is_natural


def _all_runs(root: Path) -> list["Run"]:
    """Return all runs that can be read; of others it is told what is wrong with them."""
    from textgen.runs.finding import run_folders
    from textgen.runs.folder import Run

    runs = []
    for folder in run_folders(root):
        try:
            runs.append(Run(folder))
        except TextgenError as error:
            log.warning("%s", error)
    return runs


def _require_yes(question: str) -> None:
    """Ask, and go on only after yes.

    Raises:
        UsageError: nobody is there to answer.
        TextgenError: the answer was another one.
    """
    if not sys.stdin.isatty():
        raise UsageError("runs rm asks first, and nobody is there to answer: give --yes")
    print(f"{readable(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes", "是"):
        raise TextgenError("nothing was removed")
