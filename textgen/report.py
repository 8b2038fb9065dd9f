"""A run that is over as one HTML page that opens offline: the plots and every sample."""

import html
import importlib.util
import json
from pathlib import Path

from textgen.checkpoint import Run
from textgen.errors import TextgenError
from textgen.figures import run_plots, run_texts
from textgen.files import write_atomically

_STYLE = """
body { font-family: sans-serif; color: #333; max-width: 1180px; margin: 24px auto; padding: 0 16px }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(460px, 1fr)); gap: 12px }
.plots > div { border: 1px solid #ddd; border-radius: 4px }
.sample { line-height: 1.7; font-size: 17px }
dt { color: #777; margin-top: 12px }
dd { margin: 0 }
"""


def write_report(run: Run, path: Path) -> None:
    """Write the page, some 4.5 MB, of which nearly all is plotly.js.

    Raises:
        TextgenError: the run has recorded nothing, plotly is not installed, or the file cannot be
            written.
    """
    entries = run.record.read()
    if not entries:
        raise TextgenError(f"{run.name} has recorded nothing yet: there is nothing to report")
    plots = run_plots(run, entries)
    settings = run_texts(run, entries)[-1]
    samples = "".join(
        f"<dt>epoch {entry['epoch']:.2f}</dt><dd class='sample'>{html.escape(entry['sample'])}</dd>"
        for entry in reversed(entries)
        if "sample" in entry
    )
    data = json.dumps([[plot.key, plot.data, plot.layout] for plot in plots])
    data = data.replace("</", "<\\/")  # the name of a run must not end the script
    frames = "".join(
        f"<div id='{plot.key}' style='height:{plot.height}px'></div>" for plot in plots
    )
    page = f"""<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<title>{html.escape(run.name)}</title>
<style>{_STYLE}</style>
<script>{_plotly_js()}</script>
</head>
<body>
<h1>{html.escape(run.name)}</h1>
<div class="plots">{frames}</div>
<h2>Samples, the newest first</h2>
<dl>{samples}</dl>
<h2>{settings.title}</h2>
{settings.data[0]["content"]}
<script>
for (const [key, data, layout] of {data})
  Plotly.newPlot(key, data, layout, {{responsive: true, displaylogo: false}});
</script>
</body>
</html>
"""
    write_atomically(path, page.encode())


def _plotly_js() -> str:
    package = importlib.util.find_spec("plotly")
    if package is None or package.origin is None:
        raise TextgenError("plotly is not installed, which draws the plots: pip install plotly")
    script = Path(package.origin).parent / "package_data" / "plotly.min.js"
    return script.read_text("utf-8")
