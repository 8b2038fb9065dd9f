"""Results as tables: in columns where they fit, and as plain text where nobody looks on."""

import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple

from textgen.cli.printer import print_wrapped
from textgen.names import readable

_GAP = 2
"""Columns of a terminal between two of a table."""

_WRAPPED = 12
"""Columns of a terminal that a cell takes at least which takes more lines."""

_INDENT = "  "


class Column(NamedTuple):
    """What stands above a column, and at which side of it the cells stand."""

    title: str = ""
    right: bool = False
    wraps: bool = False
    """Whether its cells take more lines where the terminal is narrow, each below the other."""


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; on a terminal that is too narrow for it, each row as a few lines.

    Without a row there is nothing.

    Args:
        columns: what they are called; without any title there is no line for them.
        rows: a cell for each column; an empty one has nothing to tell.
    """
    if not rows:
        return
    from rich.cells import cell_len

    shown = [[_on_one_line(cell) for cell in row] for row in rows]
    cells = zip((column.title for column in columns), *shown, strict=True)
    widths = [max(map(cell_len, column)) for column in cells]
    gaps = _GAP * (len(columns) - 1)
    narrowest = [
        min(width, _WRAPPED) if column.wraps else width
        for width, column in zip(widths, columns, strict=True)
    ]
    if not sys.stdout.isatty():
        _print_columns(columns, shown, sum(widths) + gaps)
    elif sum(narrowest) + gaps <= (width := shutil.get_terminal_size().columns):
        _print_columns(columns, shown, width)
    else:
        _print_one_below_the_other(columns, shown, width)


def print_title(title: str) -> None:
    """Print what stands above a table."""
    print()
    _print_bold(title)


def _print_bold(text: str) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(highlight=False).print(Text(text, "bold"), soft_wrap=True)


def _on_one_line(cell: str) -> str:
    return " ".join(readable(cell).split("\n"))


def _print_columns(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    titled = any(column.title for column in columns)
    # No lines around cells: where characters of unknown width are wide, they would not meet.
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=titled)
    for column in columns:
        table.add_column(
            Text(column.title, "bold"),
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(width=max(width, 1), highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())


def _print_one_below_the_other(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> None:
    """Print of each row its first cell, and below it the others with their titles."""
    from rich.cells import cell_len

    for first, *others in rows:
        _print_bold(first)
        line = ""
        for column, cell in zip(columns[1:], others, strict=True):
            if not cell:
                continue
            item = f"{column.title} {cell}".strip()
            if line and cell_len(_INDENT + line) + _GAP + cell_len(item) > width:
                print_wrapped(_INDENT + line)
                line = ""
            line += " " * _GAP * bool(line) + item
        if line:
            print_wrapped(_INDENT + line)
