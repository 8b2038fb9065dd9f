"""The frame of every HTML page: it opens offline."""

import html
import json
from collections.abc import Sequence

_REMARK_STYLE = ".remark { color: #a00; margin-bottom: 8px }\n"


def in_script(values: object) -> str:
    """Return values as they stand in a page's script, which no text among them can end."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def html_page(
    title: str, style: str, body: str, scripts: str = "", remarks: Sequence[str] = ()
) -> bytes:
    """Return a whole page.

    Args:
        title: plain text, in the tab and above everything.
        style: CSS.
        body: HTML.
        scripts: HTML that comes before the body.
        remarks: plain text, lines right below the title without which nothing may be read.
    """
    name = html.escape(title)
    told = "".join(f"<div class='remark'>{html.escape(remark)}</div>\n" for remark in remarks)
    page = f"""<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<title>{name}</title>
<style>{_REMARK_STYLE if remarks else ""}{style}</style>
{scripts}</head>
<body>
<h1>{name}</h1>
{told}{body}
</body>
</html>
"""
    return page.encode("utf-8", "replace")
