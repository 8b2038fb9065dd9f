"""A run, or the sanity suite, as one HTML page that opens offline: plots and texts."""

import html
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from textgen.errors import TextgenError
from textgen.evaluation.overlap import held_out_remarks
from textgen.files import write_atomically
from textgen.plots.html_page import html_page, in_script
from textgen.plots.run import run_plots, run_texts
from textgen.plots.window import Window
from textgen.runs.folder import Run

_STYLE = """
body { font-family: sans-serif; color: #333; max-width: 1180px; margin: 24px auto; padding: 0 16px }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(460px, 1fr)); gap: 12px }
.plots > div { border: 1px solid #ddd; border-radius: 4px }
.sample { line-height: 1.7; font-size: 17px }
dt { color: #777; margin-top: 12px }
dd { margin: 0 }
"""


def write_report(run: Run, path: Path) -> None:
    """Write a run's page.

    Raises:
        TextgenError: the run has recorded nothing, or what is no record, or as ``write_page``.
    """
    run.record.check()
    entries = run.record.read()
    if not entries:
        raise TextgenError(f"{run.name} has recorded nothing yet: there is nothing to report")
    settings = run_texts(run, entries)[-1]
    samples = "".join(
        f"<dt>epoch {entry['epoch']:.2f}</dt><dd class='sample'>{html.escape(entry['sample'])}</dd>"
        for entry in reversed(entries)
        if "sample" in entry
    )
    texts = f"""<h2>Samples, the newest first</h2>
<dl>{samples}</dl>
<h2>{settings.title}</h2>
{settings.data[0]["content"]}"""
    write_page(path, run.name, run_plots(run, entries), texts, held_out_remarks(run))


def write_page(
    path: Path, title: str, plots: list[Window], texts: str, remarks: Sequence[str] = ()
) -> None:
    """Write plots, and texts below them, as one page of some 4.5 MB, nearly all of it plotly.js.

    Args:
        path: the file.
        title: what stands above it.
        plots: windows with plotly's traces.
        texts: HTML.
        remarks: lines without which the plots may not be read.

    Raises:
        TextgenError: plotly is not installed.
        OSError: the file cannot be written.
    """
    shown = [plot.without_markup() for plot in plots]
    data = in_script([[plot.key, plot.data, plot.layout] for plot in shown])
    frames = "".join(
        f"<div id='{plot.key}' style='height:{plot.height}px'></div>" for plot in plots
    )
    body = f"""<div class="plots">{frames}</div>
{texts}
<script>
for (const [key, data, layout] of {data})
  Plotly.newPlot(key, data, layout, {{responsive: true, displaylogo: false}});
</script>"""
    scripts = f"<script>{_plotly_js()}</script>\n"
    write_atomically(path, html_page(title, _STYLE, body, scripts, remarks))


def _plotly_js() -> str:
    package = importlib.util.find_spec("plotly")
    if package is None or package.origin is None:
        raise TextgenError("plotly is not installed, which draws the plots: pip install plotly")
    script = Path(package.origin).parent / "package_data" / "plotly.min.js"
    return script.read_text("utf-8")
