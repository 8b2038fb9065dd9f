"""Where a text ends: the same wherever its tokens are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgen.config import GenerationConfig
from textgen.errors import UsageError
from textgen.writing.endings import Ending


def read(tokens: list[str], **settings: int | str | None) -> tuple[str, Ending, int]:
    """Feed tokens until the end; return what was shown, the ending, and how many were read."""
    ending = Ending.of(GenerationConfig(**settings))  # type: ignore[arg-type]
    shown = ""
    for count, token in enumerate(tokens, start=1):
        piece, ending = ending.feed(token)
        shown += piece
        if ending.over:
            return shown, ending, count
    return shown, ending, len(tokens)


@st.composite
def cut(draw: st.DrawFn, alphabet: str) -> list[str]:
    text = draw(st.text(alphabet, min_size=1, max_size=40))
    places = sorted(draw(st.sets(st.integers(1, len(text)))) | {0, len(text)})
    return [text[a:b] for a, b in pairwise(places)]


def test_the_length_is_in_characters() -> None:
    shown, ending, count = read(list("却说曹操"), length=3)
    assert (shown, ending.over, count) == ("却说曹", "length", 3)
    shown, ending, _ = read(["却说", "曹操", "大喜"], length=3)
    assert (shown, ending.over, ending.pending) == ("却说曹", "length", "操")


@given(cut("好。”走a"), st.integers(1, 40), st.sampled_from([None, "走a", "。”"]))
def test_words_end_where_characters_do(tokens: list[str], length: int, stop: str | None) -> None:
    text = "".join(tokens)
    shown, ending, _ = read(tokens, length=length, stop=stop)
    of_characters, its_ending, _ = read(list(text), length=length, stop=stop)
    if ending.over:
        assert (shown, ending.over) == (of_characters, its_ending.over)
    assert len(shown) <= length


@given(cut("ab"), st.text("ab", min_size=1, max_size=4))
def test_a_stop_text_is_found_wherever_it_is_cut_and_never_half_shown(
    tokens: list[str], stop: str
) -> None:
    text = "".join(tokens)
    shown, ending, _ = read(tokens, stop=stop)
    if stop in text:
        assert ending.over == "stop"
        assert shown == text[: text.index(stop)]
    else:
        assert ending.over is None
        assert shown + ending.pending == text
        assert ending.pending == next(
            (text[i:] for i in range(len(text)) if stop.startswith(text[i:])), ""
        )


@given(cut("ab"), st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=4))
def test_of_several_stop_texts_the_first_that_is_complete_ends_the_text(
    tokens: list[str], stops: list[str]
) -> None:
    ending = Ending.of(GenerationConfig(), stops)
    shown, read = "", ""
    while tokens and ending.over is None:
        read += tokens[0]
        piece, ending = ending.feed(tokens.pop(0))
        shown += piece
        complete = [stop for stop in stops if stop in read]
        assert (ending.over == "stop") == bool(complete)
        assert shown + ending.pending == read
        assert not any(stop in shown for stop in stops)
    if ending.over:
        assert len(shown) == min(read.index(stop) for stop in complete)


def test_what_was_held_back_is_shown_when_the_stop_text_cannot_come_any_more() -> None:
    shown, ending, _ = read(list("却说曹"), stop="说曹操", length=3)
    assert (shown, ending.over, ending.pending) == ("却说曹", "length", "")


@pytest.mark.parametrize(
    ("text", "sentences", "expected"),
    [
        ("好。走！吗？去", 1, "好。"),
        ("好。走！吗？去", 2, "好。走！"),
        ("好。走！吗？去", 3, "好。走！吗？"),
        ("“好！”他说。", 1, "“好！”"),
        ("『「好。」』（对！）去", 1, "『「好。」』"),
        ("『「好。」』（对！）去", 2, "『「好。」』（对！）"),
        ("什么？！走", 1, "什么？！"),
        ("走。。。好", 1, "走。。。"),
        ("好。\n走", 1, "好。"),
        ("，，，”好", 1, None),
    ],
)
def test_sentences_end_with_their_closing_quotes(
    text: str, sentences: int, expected: str | None
) -> None:
    for tokens in (list(text), [text], [text[:3], text[3:]]):
        shown, ending, _ = read(tokens, sentences=sentences)
        assert shown == (expected or text)
        assert ending.over == ("sentences" if expected else None)
        assert shown + ending.pending == text[: len(shown + ending.pending)]


def test_a_sentence_that_ends_with_the_length_is_complete() -> None:
    assert read(list("好。走。"), length=2, sentences=1)[1].over == "sentences"
    assert read(list("好。走。"), length=2, sentences=2)[1].over == "length"


def test_whichever_comes_first() -> None:
    assert read(list("好。走，去"), sentences=1, stop="去")[0] == "好。"
    shown, ending, _ = read(list("好。走，去"), sentences=2, stop="走，")
    assert (shown, ending.over) == ("好。", "stop")
    shown, ending, _ = read(list("好。”走"), sentences=1, stop="”走")
    assert (shown, ending.over) == ("好。", "stop")


@given(cut("好。”走a"), st.integers(1, 3), st.sampled_from([None, "走a", "。”"]))
def test_nothing_is_lost_or_shown_twice(
    tokens: list[str], sentences: int, stop: str | None
) -> None:
    shown, ending, count = read(tokens, sentences=sentences, stop=stop)
    assert shown + ending.pending == "".join(tokens[:count])


def test_an_empty_stop_text_is_refused() -> None:
    with pytest.raises(UsageError, match="--stop is empty"):
        GenerationConfig(stop="")
