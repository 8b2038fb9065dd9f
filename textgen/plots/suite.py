"""What the suite's record looks like: for each task its loss, its answers and its errors."""

from pathlib import Path
from typing import Literal

from textgen.language import _, marked
from textgen.plots.table import Cell, number, table
from textgen.plots.window import BLUE, GREEN, GREY, RED, Subject, Trace, Window, line, plot, text
from textgen.runs.record import Entry, Record

_Answer = Literal["accuracy", "out_0", "out_1"]

_COLORS = {"scratch": BLUE, "nn": RED, "gru": GREEN, "rnn": GREY}
_ANSWERS: dict[_Answer, str] = {
    "accuracy": marked("share of answers right"),
    "out_0": marked("answer"),
    "out_1": marked("answer"),
}
"""What tasks measure of their answers, and what stands at the axis."""


def suite_in(checkpoints: Path) -> Subject:
    """Return the suite as something to draw; its folder among the runs is hidden and none."""
    return Subject("sanity", Record(checkpoints / ".sanity" / "metrics.jsonl"), suite_windows)


def suite_windows(entries: list[Entry]) -> list[Window]:
    """Return the table of results, then every task's plots, in the order they were run."""
    tasks = list(dict.fromkeys(entry["task"] for entry in entries))
    plots = (task_plots(task, [e for e in entries if e["task"] == task]) for task in tasks)
    return [_results(entries), *(window for windows in plots for window in windows)]


def task_plots(task: str, entries: list[Entry]) -> list[Window]:
    """Return a task's curves over the epochs, and the error of each answer that was tested."""
    models = list(dict.fromkeys(entry["model"] for entry in entries))

    def curves(name: _Answer | Literal["loss"], label: str = "") -> list[Trace]:
        of_models = (
            (model, [(e["epoch"], e[name]) for e in entries if e["model"] == model and name in e])
            for model in models
        )
        return [
            line(f"{model} {label}".strip(), points, _COLORS.get(model))
            for model, points in of_models
            if points
        ]

    windows = []
    if losses := curves("loss"):
        title = _("{task}: loss").format(task=task)
        windows.append(plot(f"{task}-loss", title, _("loss"), losses, logarithmic=True))
    measured = [name for name in _ANSWERS if any(name in entry for entry in entries)]
    if measured:
        answers = [
            trace for name in measured for trace in curves(name, name if len(measured) > 1 else "")
        ]
        title = _("{task}: answers").format(task=task)
        windows.append(plot(f"{task}-answers", title, _(_ANSWERS[measured[0]]), answers))
    errors = [
        _dots(entry["model"], entry["errors"], _COLORS.get(entry["model"]))
        for entry in entries
        if "errors" in entry
    ]
    if errors:
        windows.append(
            plot(
                f"{task}-errors",
                _("{task}: absolute error of each answer").format(task=task),
                _("absolute error"),
                errors,
                x_title=_("number of the problem"),
            )
        )
    return windows


def _dots(model: str, errors: list[int], color: str | None) -> Trace:
    trace = line(model, list(enumerate(errors, 1)), color)
    return trace | {"mode": "markers"}


def _results(entries: list[Entry]) -> Window:
    rows = [
        [
            Cell(str(entry["task"]), below=str(entry["model"])),
            Cell(
                _("pass") if entry["passed"] else _("FAIL"),
                color=GREEN if entry["passed"] else RED,
                bold=not entry["passed"],
            ),
            Cell(str(entry["result"]), below=_("must: {asked}").format(asked=entry["asked"])),
            number(entry["seconds"], ",.1f"),
        ]
        for entry in entries
        if "passed" in entry
    ]
    names = (_("task"), "", _("what came out"))
    head = [*map(Cell, names), Cell(_("seconds"), number=True)]
    return text("results", _("Sanity"), table(head, rows))
