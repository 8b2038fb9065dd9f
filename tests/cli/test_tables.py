"""Tables line up on terminals of every width, with wide characters in them, and in a pipe."""

import os
import shutil
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screens import Screen
from textgen.cli.printer import width
from textgen.cli.tables import Column, print_table

COLUMNS = (Column("名字"), Column("text", wraps=True), Column("bits", right=True))
WORDS = st.text("却说ab.（é", min_size=1, max_size=14)
ROWS = st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=4)


def on_a_screen(rows: list[tuple[str, str, str]], columns: int) -> list[str]:
    screen = Screen(columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        size = os.terminal_size((columns, 24))
        patch.setattr(shutil, "get_terminal_size", lambda: size)
        print_table(COLUMNS, rows)
    return screen.lines()[:-1]


def extent(text: str) -> int:
    return sum(map(width, text))


@given(ROWS, st.sampled_from([40, 80, 120]))
def test_cells_stand_below_each_other(rows: list[tuple[str, str, str]], columns: int) -> None:
    # A mark at each side of a cell tells where it begins and ends.
    marked = [(f"<{a}", f"[{b}", f"{c}>") for a, b, c in rows]
    lines = on_a_screen(marked, columns)
    assert all(extent(line) <= columns for line in lines)
    below = [line for line in lines if line.startswith("<")]
    if lines[0].startswith("名字"):
        assert len(below) == len(rows)
        assert {extent(line[: line.index("[")]) for line in below} == {lines[0].index("text") + 2}
        assert len({extent(line[: line.index(">")]) for line in below}) == 1
    else:  # too narrow: below its first cell stand the others of a row, with their titles
        assert below == [first for first, _, _ in marked]
    cells = Counter("".join(cell for row in marked for cell in row))
    assert cells <= Counter("".join(lines)) + Counter({" ": cells[" "]})  # nothing is cut off


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_long_cell_takes_more_lines_or_all_cells_do(columns: int) -> None:
    lines = on_a_screen([("一", "却说" * 40, "1.5")], columns)
    assert all(extent(line) <= columns for line in lines)
    assert "".join(lines).count("却说") >= 40 - len(lines)  # where it breaks one may be parted
    assert len({extent(line) - extent(line.lstrip()) for line in lines[2:]}) == 1
    wide = on_a_screen([("一" * 30, "b", "1.5")], columns)
    assert (wide[0] == "一" * 20) is (columns == 40)


def test_a_pipe_has_every_row_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [("一", "却说" * 100, "1.5"), ("ab", "", "22\n3")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "名字  text".ljust(4 + 400) + "  bits",
        "一    " + "却说" * 100 + "   1.5",
        "ab".ljust(6 + 400) + "  22 3",
    ]


def test_without_titles_there_is_no_line_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_table((Column(), Column()), [("a", "[bold]"), ("bc", "\x1b[31m")])
    assert capsys.readouterr().out == "a   [bold]\nbc  �[31m\n"
