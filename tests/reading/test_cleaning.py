import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.config import Layout, ReadingConfig
from textgen.reading.cleaning import clean

KEEP = ReadingConfig(layout="keep")


def test_cleaning_counts_what_it_changes() -> None:
    text = (
        "\u3000\u3000第一回\u3000旧\x1a书\r\n\r\n"
        "\x1b[1;31m\t红字\x1b[0m \x1b]0;title\x07完\r\n\r\n\ufeff    末行\t后\n\n\n\n"
    )
    cleaned = clean(text)
    assert cleaned.text == "第一回\u3000旧书\n红字 完\n末行 后\n"
    assert cleaned.changes == {
        "line ends": 4,
        "escape sequences": 3,
        "control characters": 2,
        "lines with indents or trailing spaces": 3,
        "tabs": 1,
        "blank lines": 2,
    }


def test_blank_lines_stay_where_they_mean_something() -> None:
    verse = "ROMEO:\nAy me!\nO me!\n\n\nJULIET:\nO Romeo!\nGood night!\n"
    assert clean(verse).text == verse.replace("\n\n\n", "\n\n")


def test_what_joins_letters_stays() -> None:
    family, persian = "👨\u200d👩\u200d👧", "می\u200cخواهم"
    text = f"{family} {persian}\n"
    assert clean(text).text == text
    assert clean(text, KEEP).text == text


@given(st.text(), st.sampled_from(["auto", "prose", "keep"]))
def test_cleaning_twice_changes_nothing_more(text: str, layout: Layout) -> None:
    reading = ReadingConfig(layout=layout)
    once = clean(text, reading).text
    again = clean(once, reading)
    assert (again.text, again.changes) == (once, {})
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\r]", once)


@given(st.text(st.sampled_from("字a \t\u3000\n"), min_size=1))
def test_a_kept_layout_is_kept(text: str) -> None:
    kept = clean(text, KEEP).text
    assert kept == (text if text.endswith("\n") else text + "\n") or not text.strip()


CODE = """\
def area(width: int, height: int) -> int:
    if width < 0:
        raise ValueError()


    return width * height

"""
VERSE = """\
Tyger Tyger, burning bright,
    In the forests of the night;
What immortal hand or eye,
    Could frame thy fearful symmetry?


"""


@pytest.mark.parametrize(("text", "kind"), [(CODE * 6, "code"), (VERSE * 6, "verse")])
def test_code_and_verse_keep_their_lines_unasked(text: str, kind: str) -> None:
    cleaned = clean(text)
    assert cleaned.kept == kind
    assert cleaned.text == text
    as_prose = clean(text, ReadingConfig(layout="prose"))
    assert as_prose.kept is None
    assert "    " not in as_prose.text
