"""A table in HTML, for panes and pages alike: its looks stand in it, and all it says is escaped."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textgen.plots.window import GREY

_RULE = "border-bottom:1px solid #e4e4e4"


@dataclass(frozen=True)
class Cell:
    """What stands in a place of a table."""

    text: str
    number: bool = False
    """Whether it is one, and stands at the right."""

    color: str | None = None
    line: tuple[str, str] | None = None
    """A piece of a curve before the text: CSS's word for how it is drawn, and its colour."""

    below: str = ""
    """What stands below the text, and smaller."""

    link: str | None = None
    """An address, quoted as URLs are."""

    bold: bool = False
    long: bool = False
    """Whether it may be longer than there is room for, and is broken anywhere."""


@dataclass(frozen=True)
class Heading:
    """A line of its own above some rows."""

    text: str
    remark: str = ""


Row = Sequence[Cell] | Heading


def number(value: float | None, form: str = ",.2f") -> Cell:
    """Return a figure, or nothing where there is none."""
    return Cell("" if value is None else f"{value:{form}}", number=True)


def table(head: Sequence[Cell], rows: Iterable[Row]) -> str:
    """Return a table.

    Args:
        head: the names of the columns, a cell for each; not shown where none has a name.
        rows: what stands below.
    """
    first = f"<tr>{''.join(map(_head, head))}</tr>\n" if any(cell.text for cell in head) else ""
    others = "".join(_row(row, len(head)) for row in rows)
    return f"<table style='border-collapse:collapse;font-size:13px'>\n{first}{others}</table>\n"


def _row(row: Row, columns: int) -> str:
    if isinstance(row, Heading):
        remark = html.escape(row.remark)
        return (
            f"<tr><td colspan='{columns}' style='padding:12px 0 3px;{_RULE}'>"
            f"<b>{html.escape(row.text)}</b> <span style='color:{GREY}'>{remark}</span></td></tr>\n"
        )
    return f"<tr>{''.join(map(_cell, row))}</tr>\n"


def _head(cell: Cell) -> str:
    align = "right" if cell.number else "left"
    style = f"text-align:{align};font-weight:normal;color:{GREY};padding:2px 14px 2px 0;{_RULE}"
    return f"<th style='{style}'>{html.escape(cell.text)}</th>"


def _cell(cell: Cell) -> str:
    style = "padding:2px 14px 2px 0;vertical-align:top"
    style += ";text-align:right;white-space:nowrap" if cell.number else ""
    style += ";overflow-wrap:anywhere" if cell.long else ""
    style += f";color:{cell.color}" if cell.color else ""
    content = html.escape(cell.text)
    if cell.bold:
        content = f"<b>{content}</b>"
    if cell.link is not None:
        content = f"<a href='{html.escape(cell.link)}'>{content}</a>"
    if cell.line is not None:
        look = f"margin-right:6px;border-top:3px {' '.join(cell.line)}"
        swatch = f"display:inline-block;width:22px;vertical-align:middle;{look}"
        content = f"<span style='{swatch}'></span>{content}"
    if cell.below:
        small = f"font-size:12px;color:{GREY}"
        content += f"<div style='{small}'>{html.escape(cell.below)}</div>"
    return f"<td style='{style}'>{content}</td>"
