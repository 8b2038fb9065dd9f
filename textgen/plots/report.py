"""Runs, or the sanity suite, as one HTML page that opens offline: figures, plots and texts."""

import html
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from textgen.errors import TextgenError
from textgen.evaluation.overlap import held_out_remarks
from textgen.files import write_atomically
from textgen.language import _
from textgen.plots.comparison import comparison_windows
from textgen.plots.figures import figures_table
from textgen.plots.html_page import NARROW, html_page, in_script, language_of
from textgen.plots.run import facts, run_plots, settings_rows
from textgen.plots.table import Cell, table
from textgen.plots.window import WIDE, Window
from textgen.runs.differences import differences, shown
from textgen.runs.folder import Run
from textgen.runs.record import Entry
from textgen.runs.summary import Summary

_STYLE = """
body { font-family: sans-serif; color: #333; max-width: 1180px; margin: 24px auto; padding: 0 16px }
h1, h2 { overflow-wrap: anywhere }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr));
  gap: 12px; margin: 16px 0 }
.plots > div { border: 1px solid #ddd; border-radius: 4px; min-width: 0 }
.plots > .row { grid-column: 1 / -1 }
.sample { line-height: 1.7; font-size: 17px; white-space: pre-wrap; overflow-wrap: anywhere }
dt { color: #777; margin-top: 12px }
dd { margin: 0 }
summary { cursor: pointer }
"""


def write_report(runs: Sequence[Run], path: Path) -> None:
    """Write the page of a run, or of several beside each other.

    Args:
        runs: one or more.
        path: the file.

    Raises:
        TextgenError: a run has recorded nothing, or what is no record, or as ``write_page``.
    """
    for run in runs:
        run.record.check()
    compared = [Summary.of(run) for run in runs]
    for one in compared:
        if not one.entries:
            raise TextgenError(
                "{name} has recorded nothing yet: there is nothing to report", name=one.run.name
            )
    if len(compared) > 1:
        _write_comparison(compared, path)
        return
    (one,) = compared
    samples = [entry for entry in reversed(one.entries) if "sample" in entry]
    texts = f"""<h2>{_("Samples, the newest first")}</h2>
<dl>{"".join(map(_sample, samples))}</dl>
<h2>{_("Settings")}</h2>
{_settings(one.run)}"""
    plots = run_plots(one.run, one.entries)
    remarks = held_out_remarks(one.run)
    write_page(path, one.run.name, plots, texts, remarks, first=figures_table(one))


def _write_comparison(compared: Sequence[Summary], path: Path) -> None:
    """Write a page that lays runs over each other, then tells what each wrote last."""
    runs = [one.run for one in compared]
    places = {run.folder: f"#run-{place}" for place, run in enumerate(runs)}
    first, *plots = comparison_windows(compared, lambda run: places[run.folder])
    found = differences([run.settings.flat() for run in runs])
    head = [Cell(_("setting")), *(Cell(run.name) for run in runs)]
    rows = [[Cell(name), *(Cell(shown(one[name])) for one in found)] for name in found[0]]
    heading = _("The settings that differ")
    differing = f"<h2>{heading}</h2>\n<div class='wide'>{table(head, rows)}</div>"
    remarks = [
        _("{name}: {remark}").format(name=run.name, remark=remark)
        for run in runs
        for remark in held_out_remarks(run)
    ]
    write_page(
        path,
        _("{count} runs").format(count=len(runs)),
        plots,
        (differing if rows else "") + "".join(map(_last_sample, range(len(runs)), compared)),
        remarks,
        first=f"<div class='wide'>{first.data[0]['content']}</div>",
    )


def _last_sample(place: int, one: Summary) -> str:
    samples = [entry for entry in one.entries if "sample" in entry]
    return (
        f"<h2 id='run-{place}'>{html.escape(one.run.name)}</h2>\n{figures_table(one)}"
        f"<dl>{''.join(map(_sample, samples[-1:]))}</dl>\n"
    )


def _sample(entry: Entry) -> str:
    text = entry["sample"]
    return (
        f"<dt>{_('epoch {epoch:.2f}').format(epoch=entry['epoch'])}</dt>"
        f"<dd class='sample' lang='{language_of(text)}'>{html.escape(text)}</dd>\n"
    )


def _settings(run: Run) -> str:
    """Return what a run was made with: what is not the default at once, the rest when opened."""
    changed, usual = settings_rows(run)
    columns = [Cell(""), Cell("")]
    return f"""<div class='wide'>{table(columns, [*facts(run), *changed])}</div>
<details><summary>{_("The others, which are the defaults")}</summary>
<div class='wide'>{table(columns, usual[1:])}</div>
</details>"""


def write_page(
    path: Path,
    title: str,
    plots: Sequence[Window],
    texts: str,
    remarks: Sequence[str] = (),
    first: str = "",
) -> None:
    """Write plots, and texts around them, as one page of some 4.5 MB, nearly all of it plotly.js.

    Args:
        path: the file.
        title: what stands above it.
        plots: windows with plotly's traces.
        texts: HTML, below the plots.
        remarks: lines without which the plots may not be read.
        first: HTML, above the plots.

    Raises:
        TextgenError: plotly is not installed.
        OSError: the file cannot be written.
    """
    shown = [plot.without_markup() for plot in plots]
    data = in_script([[plot.key, plot.data, plot.layout] for plot in shown])
    frames = "".join(
        f"<div id='{html.escape(plot.key)}' style='height:{plot.height}px'"
        f"{' class=row' if plot.width == WIDE else ''}></div>"
        for plot in plots
    )
    body = f"""{first}
<div class="plots">{frames}</div>
{texts}
<script>
for (const [key, data, layout] of {data})
  Plotly.newPlot(key, data, layout, {{displaylogo: false}});
</script>"""
    scripts = f"<script>{_plotly_js()}</script>\n<script>{NARROW.read_text('utf-8')}</script>\n"
    write_atomically(path, html_page(title, _STYLE, body, scripts, remarks))


def _plotly_js() -> str:
    package = importlib.util.find_spec("plotly")
    if package is None or package.origin is None:
        raise TextgenError("plotly is not installed, which draws the plots: pip install plotly")
    script = Path(package.origin).parent / "package_data" / "plotly.min.js"
    return script.read_text("utf-8")
