"""What Visdom opens with: the table of all runs, and beside it the newest one."""

import html
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from textgen.dashboard.names import ALL_RUNS, environment_of
from textgen.language import _
from textgen.plots.comparison import short_table
from textgen.plots.window import Subject, Window, text
from textgen.runs.folder import Run
from textgen.runs.summary import Summary

TABLE = "textgen"
"""The name of the table's window, and where there is no table, of the remark in its place."""

PREFIX = "newest-"
"""Of the windows' names: another program that draws here may have one that is called as ours."""


def remark() -> Window:
    """Return what stands on a server that is somebody else's."""
    told = _(
        "<p>Every run has an environment of its own, and <b>all-runs</b> lays them over each "
        "other: choose above.</p>"
    )
    return text(TABLE, "textgen", told)


def address_of(run: Run) -> str:
    """Return where the monitor shows a run."""
    return f"/env/{quote(environment_of(run.name), safe='')}"


def start_page(
    runs: Sequence[Summary], newest: Summary | None, subjects: Sequence[Subject]
) -> list[Window]:
    """Return the windows that Visdom opens with.

    Args:
        runs: all runs, in the order in which they were made.
        newest: the one that is shown beside the table.
        subjects: what is drawn of each run.
    """
    if newest is None:
        return [text(TABLE, _("Runs"), short_table(runs, address_of, None))]
    run = newest.run
    told = _(
        "<p>Beside this: <b>{name}</b>, the newest. {all_runs} lays the runs over each other.</p>"
    ).format(name=html.escape(run.name), all_runs=f"<a href='/env/{ALL_RUNS}'>{ALL_RUNS}</a>")
    own = [one for one in subjects if one.record.path == run.record.path]
    return [
        text(TABLE, _("Runs"), short_table(runs, address_of, run) + told),
        *(
            replace(
                window,
                key=f"{PREFIX}{window.key}",
                title=_("{name}: {title}").format(name=run.name, title=window.title),
            )
            for subject in own
            for window in subject.windows(newest.entries)
        ),
    ]
