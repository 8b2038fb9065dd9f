"""A text in a terminal, as the terminal shows it: a small one, that wraps as all do."""

import io
import os
import shutil
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screens import Screen
from textgen.cli.printer import Printer, fitted, width, wrapped


def printed(pieces: list[str], columns: int) -> Screen:
    screen = Screen(columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        size = os.terminal_size((columns, 24))
        patch.setattr(shutil, "get_terminal_size", lambda: size)
        printer = Printer()
        for piece in pieces:
            printer.write(piece)
        printer.end()
    return screen


@given(st.text("却说，。ab' -\n", max_size=80), st.integers(2, 23))
def test_no_word_is_broken_that_fits_into_a_line(text: str, columns: int) -> None:
    lines = printed(list(text), columns).lines()
    # Only white space at the right edge may differ.
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line, following in pairwise(lines):
        assert sum(map(width, line)) <= columns
        ends, begins = line[-1:], following[:1]
        if ends.isascii() and begins.isascii() and ends.isalpha() and begins.isalpha():
            word = line.rpartition(" ")[2] + following.partition(" ")[0]
            # Where a space at the right edge was left out, it is no word of the text.
            assert len(word) > columns or "\n" in text or word not in text


def test_wide_characters_are_left_to_the_terminal() -> None:
    text = "却说曹操引兵追赶，玄德大惊。" * 9
    for columns in (7, 20, 21):
        assert printed([text], columns).raw == f"{text}\n"


def test_words_go_on_over_pieces() -> None:
    screen = printed(["The qu", "ick bro", "wn 狐狸 ", "jumps", " over"], 10)
    assert screen.lines() == ["The quick ", "brown 狐狸", "jumps over", ""]


def test_nothing_steers_a_terminal_and_joiners_stay() -> None:
    assert printed(["a\x1b", "[31m", "b\u202e说\tc"], 40).raw == "a\ufffd[31mb\ufffd说 c\n"
    joined = "می\u200cخواهم 👩\u200d💻"
    assert printed(list(joined), 40).raw == f"{joined}\n"
    assert width("\u200d") == 0


def test_into_a_pipe_it_goes_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    printer = Printer()
    printer.write("a qu")
    assert pipe.getvalue() == "a qu"
    printer.write("ick fox " * 40)
    printer.end()
    assert pipe.getvalue() == "a qu" + "ick fox " * 40 + "\n"


@given(st.text("却说，。（）ab',.- \n", max_size=80), st.integers(8, 23), st.booleans())
def test_a_text_is_wrapped_by_words(text: str, columns: int, at_spaces: bool) -> None:
    lines = wrapped(text, columns, at_spaces=at_spaces)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line, following in pairwise(lines):
        assert sum(map(width, line)) <= columns
        ends, begins = line[-1:], following[:1]
        if begins and ends.isascii() and begins.isascii() and not (ends + begins).isspace():
            broken = line.split(" ")[-1] + following.split(" ")[0]
            assert sum(map(width, broken)) > columns or "\n" in text or broken not in text


def test_no_line_begins_with_what_closes() -> None:
    text = "却说曹操引兵追赶，玄德大惊（不知如何是好）。"
    for columns in range(8, 30):
        lines = wrapped(text, columns)
        assert "".join(lines) == text
        assert not any(line.startswith(tuple("，）。")) for line in lines)
        assert not any(line.endswith("（") for line in lines)
    assert wrapped("textgen generate --prefix 却说曹操", 30, at_spaces=True) == [
        "textgen generate --prefix",
        "却说曹操",
    ]


def test_messages_are_wrapped_in_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    message = "三国演义 is there, and its encoding is utf-8"
    assert fitted(message, io.StringIO()) == message
    assert fitted(message, Screen(20)).split("\n") == [
        "三国演义 is there,",
        "and its encoding is",
        "utf-8",
    ]
