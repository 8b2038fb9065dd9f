"""Short texts in any encoding, read as a model knows them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT
from textgen.reading.short_texts import cleaned_but_for_its_ends, decodings, most_familiar
from textgen.text.vocab import Vocab

SAMPLE = (ROOT / "corpus" / "sample.txt").read_text("utf-8")
VOCAB = Vocab.build(SAMPLE)
ENCODINGS = ("utf-8", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32")


def read(data: bytes, vocab: Vocab = VOCAB) -> str:
    texts = decodings(data)
    return texts[most_familiar(texts, vocab)].removeprefix("\ufeff")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("length", [1, 2, 3, 20])
def test_pieces_of_a_text_are_read_as_they_were(encoding: str, length: int) -> None:
    line = SAMPLE.replace("\n", "")
    draw = random.Random(length)  # noqa: S311 - no secret
    starts = [draw.randrange(len(line) - length) for _ in range(25)]
    pieces = [line[start : start + length] for start in starts]
    wrong = [piece for piece in pieces if read(piece.encode(encoding)) != piece]
    # A character alone may be another common one in another encoding.
    assert len(wrong) <= (1 if length == 1 else 0)


def test_what_looks_like_utf_8() -> None:
    data = "却说".encode("gbk")
    assert data.decode("utf-8") == "ȴ˵"
    assert read(data, Vocab.build("却说")) == "却说"
    assert read(data, Vocab.build("ȴ˵")) == "ȴ˵"
    assert read(data, Vocab.build("却说", "word")) == "却说"
    assert read(data, Vocab.build("龘")) == "却说"  # where nothing is known, Chinese is likelier


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("卻說曹操", "big5"),
        ("吾輩は猫である", "shift_jis"),
        ("吾輩は猫である", "euc_jp"),
        ("나는 고양이다", "euc_kr"),
        ("Я помню", "cp1251"),
        ("déjà vu", "cp1252"),
        ("déjà vu", "utf-8"),
    ],
)
def test_other_languages_that_a_model_knows(text: str, encoding: str) -> None:
    assert read(text.encode(encoding), Vocab.build(text)) == text


def test_what_is_no_text_has_no_decoding() -> None:
    assert decodings(b"PK\x03\x04\x14\x00\x00\x00") == {}
    assert set(decodings(b"").values()) == {""}
    assert [read(word) for word in (b"Tom!", b"ok", b"Chapter 1.")] == ["Tom!", "ok", "Chapter 1."]


def test_of_a_long_text_no_more_than_its_beginning_is_looked_at_in_every_encoding() -> None:
    text = SAMPLE * 5
    assert len(text) > 50_000
    assert read(text.encode("gb18030")) == text


@given(st.text(" \t\n\r\u3000\u2028", max_size=3), st.text(" \t\n\r\u3000\u2028", max_size=3))
def test_white_space_at_the_ends_of_what_is_typed_stays(before: str, after: str) -> None:
    text = cleaned_but_for_its_ends(f"{before}却说\x1b[31m，\u202e\r\n  曹操{after}")
    head, tail = text.split("却说，\n曹操")
    for white, given_white in ((head, before), (tail, after)):
        assert len(white) == len(given_white.replace("\r\n", "\n"))
        assert set(white) <= set(" \n\u3000")
    assert cleaned_but_for_its_ends(text) == text
    assert cleaned_but_for_its_ends(before) == before.replace("\r\n", "\n").translate(
        {0x0D: "\n", 0x2028: "\n", 0x09: " "}
    )
