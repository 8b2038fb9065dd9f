"""Runs beside each other: a table of what they came to, and their curves over each other.

Only what was learned from the same text is laid over each other, and each run is called by what it
was made with that others were not.
"""

import hashlib
import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from textgen.evaluation.overlap import recorded_overlap
from textgen.language import _, marked
from textgen.plots.run import seen
from textgen.plots.table import Cell, Heading, Row, number, table
from textgen.plots.window import WIDE, Points, Trace, Window, level, line, plot, text
from textgen.runs.differences import in_words, telling
from textgen.runs.folder import Run
from textgen.runs.record import Entry
from textgen.runs.summary import Summary

_COLORS = (
    *("#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd"),
    *("#17becf", "#e377c2", "#8c564b", "#7f7f7f", "#bcbd22"),
)
_DASHES = (("solid", "solid"), ("dash", "dashed"), ("dot", "dotted"))
"""How plotly draws what comes after the colours are used up, and how a table does."""

_BITS: Final = "held_out_bits_per_character"
_LABEL_WIDTH = 42
"""Characters in a line of the legend."""

_UNITS: tuple[tuple[str, str, str, Callable[[Entry], float]], ...] = (
    ("epochs", marked("epoch"), marked("{title}, by epoch"), lambda entry: entry["epoch"]),
    (
        "minutes",
        marked("minutes of training"),
        marked("{title}, by minutes of training"),
        lambda entry: entry["seconds"] / 60,
    ),
)

Link = Callable[[Run], str | None]
"""Where a run's own curves are."""


@dataclass(frozen=True)
class _Curve:
    """A run in a group, and what it looks like there."""

    of: Summary
    telling: str
    label: str
    color: str
    dash: int

    def draw(self, points: Points, *, markers: bool) -> Trace:
        trace = line(self.label, points, self.color, markers=markers)
        trace["line"]["dash"] = _DASHES[self.dash][0]
        return trace


def comparison_windows(runs: Sequence[Summary], link: Link = lambda _: None) -> list[Window]:
    """Return the table of all runs, and the curves of those of each text over each other.

    Args:
        runs: in the order in which they were made.
        link: where a run's own curves are.
    """
    groups = [_curves(group) for group in _grouped(runs)]
    first = text("runs", _("All runs"), _table(groups, link, legend=True))
    rows = len(groups) + 2 * len(runs)
    return [
        Window(first.key, first.title, first.data, {}, min(700, max(120, 80 + 21 * rows)), WIDE),
        *(window for curves in groups for window in _plots(curves)),
    ]


def short_table(runs: Sequence[Summary], link: Link, newest: Run | None) -> str:
    """Return a table of all runs that has room beside a plot; the newest is set in bold.

    Args:
        runs: in the order in which they were made.
        link: where a run's own curves are.
        newest: the one that is shown beside it.
    """
    return _table(list(map(_curves, _grouped(runs))), link, newest)


def _table(
    groups: Sequence[Sequence[_Curve]],
    link: Link,
    newest: Run | None = None,
    *,
    legend: bool = False,
) -> str:
    """Return a table of runs; as a legend, it has each one's curve, and what tells it apart."""
    rows: list[Row] = []
    for curves in groups:
        rows.append(_heading(curves))
        for curve in curves:
            one = curve.of
            name = Cell(
                _called(one),
                long=True,
                below=curve.telling if legend else "",
                line=(_DASHES[curve.dash][1], curve.color) if legend else None,
                link=link(one.run),
                bold=newest is not None and one.run.folder == newest.folder,
            )
            rows.append([name, _bits(one), _size(one), _minutes(one)])
    if not rows:
        none = _("No run yet: {command} makes one.")
        return f"<p>{none.format(command='<code>textgen train FILE</code>')}</p>"
    figures = (Cell(name, number=True) for name in (_("bits"), _("parameters"), _("minutes")))
    return table([Cell(_("run")), *figures], rows)


def _grouped(runs: Sequence[Summary]) -> list[list[Summary]]:
    """Return the runs of each text; the text of the newest run comes first."""
    groups: dict[str, list[Summary]] = {}
    for one in runs:
        groups.setdefault(one.text_key, []).append(one)
    return sorted(groups.values(), key=lambda group: -runs.index(group[-1]))


def _curves(group: Sequence[Summary]) -> list[_Curve]:
    """Return the runs of a text with their looks, the best first.

    A run keeps its colour when others come, and when it becomes better than they are.
    """
    told = [in_words(found) for found in telling([g.run.settings.flat() for g in group])]
    curves = []
    for place, (one, words) in enumerate(zip(group, told, strict=True)):
        name = _called(one)
        alone = words and told.count(words) == 1
        label = (words + seen(recorded_overlap(one.run.config))) if alone else name
        if words and not alone:
            label = _("{name}: {telling}").format(name=label, telling=words)
        curves.append(
            _Curve(
                one,
                words,
                textwrap.fill(label, _LABEL_WIDTH, max_lines=3, placeholder=" …"),
                _COLORS[place % len(_COLORS)],
                place // len(_COLORS) % len(_DASHES),
            )
        )
    return sorted(
        curves,
        key=lambda curve: math.inf if curve.of.bits is None else curve.of.bits,
    )


def _called(one: Summary) -> str:
    """Return a run's name, and with it what nobody may compare its held-out figures without."""
    return one.run.name + seen(recorded_overlap(one.run.config))


def _text_name(one: Summary) -> str:
    return textwrap.shorten(one.text, 48, placeholder="…") or _("a text")


def _heading(curves: Sequence[_Curve]) -> Heading:
    """Return what was learned from, and what counting alone comes to on its held-out part."""
    runs = [curve.of.run for curve in curves]
    characters = runs[0].config.get("characters")
    remarks = [] if characters is None else [_("{count:,} characters").format(count=characters)]
    for name, found in (
        ("Kneser-Ney", [run.kneser_ney_bits for run in runs]),
        (_("trigram"), [run.trigram_bits for run in runs]),
    ):
        # More than one where another share was held out.
        if bits := sorted({f"{value:.2f}" for value in found if value is not None}):
            remarks.append(f"{name} {_(' or ').join(bits)}")
    return Heading(_text_name(curves[0].of), _(", ").join(remarks))


def _bits(one: Summary) -> Cell:
    """Return a run's bits per character, of what it learned from where nothing was held out."""
    if one.bits is None and one.loss is not None and one.run.vocab.kind == "character":
        if one.run.settings.corpus.held_out:
            return Cell("", number=True)  # not judged yet
        return Cell(f"{one.loss / math.log(2):.2f}", number=True, below=_("in training"))
    return number(one.bits)


def _minutes(one: Summary) -> Cell:
    return number(one.minutes, ",.1f" if one.minutes is not None and one.minutes >= 1 else ".2f")


def _size(one: Summary) -> Cell:
    count = one.parameters
    return Cell(f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k", number=True)


def _plots(curves: list[_Curve]) -> list[Window]:
    """Return the curves of a text's runs by epochs and by minutes.

    They are those of the held-out part, and in training of the runs that held nothing out.
    """
    key = hashlib.sha256(curves[0].of.text_key.encode()).hexdigest()[:8]
    name = _text_name(curves[0].of)
    judged = [c for c in curves if c.of.run.settings.corpus.held_out > 0]
    others = [c for c in curves if c not in judged]
    return [
        *_over_each_other(
            judged, f"held-out-{{}}-{key}", _("{name}: held out").format(name=name), _BITS
        ),
        *_over_each_other(
            others, f"training-{{}}-{key}", _("{name}: nothing held out").format(name=name), "loss"
        ),
    ]


def _over_each_other(curves: list[_Curve], key: str, title: str, figure: str) -> list[Window]:
    windows = []
    for unit, x_title, by, x in _UNITS:
        traces = []
        for curve in curves:
            entries: list[Any] = [entry for entry in curve.of.comparable if figure in entry]
            if points := [(x(entry), entry[figure]) for entry in entries]:
                traces.append(curve.draw(points, markers=figure == _BITS))
        if not traces:
            continue
        yardsticks = {curve.of.run.kneser_ney_bits for curve in curves}
        if figure == _BITS and len(yardsticks) == 1 and (bits := yardsticks.pop()) is not None:
            traces.append(level("Kneser-Ney", bits, max(max(t["x"]) for t in traces)))
        windows.append(
            plot(
                key.format(unit),
                _(by).format(title=title),
                _("bits per character") if figure == _BITS else _("loss in training"),
                traces,
                x_title=_(x_title),
                beside=True,
            )
        )
    return windows
