import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_story
from textgen.config import ReadingConfig
from textgen.reading.cleaning import clean
from textgen.reading.layout import columns, kind_of_lines, wrap_width

STORY = [line for line in make_story(4000).split("\n") if line]
PARAGRAPHS = ["".join(STORY[start : start + 7]) for start in range(0, len(STORY) - 7, 7)]
ENGLISH = ["the quick brown fox jumps over the lazy dog and runs away " * 6] * 6


def broken(paragraph: str, width: int, indent: str) -> str:
    paragraph = indent + paragraph
    return "\n".join(paragraph[at : at + width] for at in range(0, len(paragraph), width))


@pytest.mark.parametrize("width", [20, 30, 35, 38])
@pytest.mark.parametrize(("indent", "between"), [("\u3000\u3000", "\n"), ("", "\n\n")])
def test_broken_paragraphs_are_seen_and_joined(width: int, indent: str, between: str) -> None:
    text = between.join(broken(paragraph, width, indent) for paragraph in PARAGRAPHS) + "\n"
    seen = clean(text)
    assert seen.width is not None
    assert 2 * width - 4 <= seen.width <= 2 * width
    assert seen.kept is None
    joined = clean(text, ReadingConfig(unwrap=True))
    lines = [line for line in joined.text.split("\n") if line]
    assert lines == [paragraph.strip() for paragraph in PARAGRAPHS]
    assert (
        joined.changes["lines joined"]
        == text.count("\n") - between.count("\n") * (len(PARAGRAPHS) - 1) - 1
    )
    assert joined.width is None


def test_words_are_joined_with_a_space() -> None:
    text = "\n\n".join(textwrap.fill(paragraph, 60) for paragraph in ENGLISH) + "\n"
    joined = clean(text, ReadingConfig(unwrap=True)).text
    assert [line for line in joined.split("\n") if line] == [line.strip() for line in ENGLISH]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(PARAGRAPHS),
        "床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。\n\n" * 10,  # as wide, but whole
        "\n".join(f"name{number}" for number in range(100)),
        "ROMEO:\nAy me! what is this?\n\nJULIET:\nO Romeo, Romeo!\n\n" * 10,
    ],
)
def test_whole_lines_are_left_alone(text: str) -> None:
    assert wrap_width(text) is None
    assert kind_of_lines(text) == "prose"
    assert clean(text, ReadingConfig(unwrap=True)) == clean(text)


@given(st.text(st.sampled_from("字，aé—…")))
def test_wide_characters_take_two_columns(text: str) -> None:
    assert columns(text) == len(text) + sum(map("字，—…".__contains__, text))
