"""The frame of every HTML page: it opens offline, and fits a phone."""

import html
import json
from collections.abc import Sequence
from pathlib import Path

from textgen.language import tag

NARROW = Path(__file__).parent / "narrow.js"
"""What makes plotly's plots fit a phone."""

_STYLE = """
table { border-collapse: collapse }
.wide { overflow-x: auto }
.remark { color: #a00; margin-bottom: 8px }
"""


def in_script(values: object) -> str:
    """Return values as they stand in a page's script, which no text among them can end."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def html_page(
    title: str, style: str, body: str, scripts: str = "", remarks: Sequence[str] = ()
) -> bytes:
    """Return a whole page, in the language that is spoken.

    Args:
        title: plain text, in the tab and above everything.
        style: CSS.
        body: HTML; a text in another language says so, see ``language_of``.
        scripts: HTML that comes before the body.
        remarks: plain text, lines right below the title without which nothing may be read.
    """
    name = html.escape(title)
    told = "".join(f"<div class='remark'>{html.escape(remark)}</div>\n" for remark in remarks)
    page = f"""<!doctype html>
<html lang="{tag()}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>{_STYLE}{style}</style>
{scripts}</head>
<body>
<h1>{name}</h1>
{told}{body}
</body>
</html>
"""
    return page.encode("utf-8", "replace")


def language_of(text: str) -> str:
    """Return the language of a text as HTML has it; nothing where its script does not tell.

    It decides which shapes a browser gives to Chinese characters, how it breaks lines, and whether
    it offers to translate.
    """
    kana = sum("\u3040" <= character <= "\u30ff" for character in text)
    hangul = sum("\uac00" <= character <= "\ud7af" for character in text)
    chinese = sum("\u3400" <= character <= "\u9fff" for character in text)
    if 2 * (kana + hangul + chinese) < sum(map(str.isalpha, text)):
        return ""
    if 10 * kana > chinese:
        return "ja" if kana > hangul else "ko"
    return "ko" if hangul > chinese else "zh" if chinese else ""
