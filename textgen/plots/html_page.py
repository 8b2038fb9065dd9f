"""The frame of every HTML page: it opens offline."""

import html


def html_page(title: str, style: str, body: str, scripts: str = "") -> bytes:
    """Return a whole page.

    Args:
        title: plain text, in the tab and above everything.
        style: CSS.
        body: HTML.
        scripts: HTML that comes before the body.
    """
    name = html.escape(title)
    page = f"""<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<title>{name}</title>
<style>{style}</style>
{scripts}</head>
<body>
<h1>{name}</h1>
{body}
</body>
</html>
"""
    return page.encode("utf-8", "replace")
