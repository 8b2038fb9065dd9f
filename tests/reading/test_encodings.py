import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reading.novels import (
    ARABIC,
    CZECH,
    ENGLISH,
    FRENCH,
    GREEK,
    HEBREW,
    JAPANESE,
    KOREAN,
    POLISH,
    RUSSIAN,
    SIMPLIFIED,
    THAI,
    TRADITIONAL,
    TURKISH,
)
from textgen.errors import TextgenError, UsageError
from textgen.reading.encodings import Decoded, decode

NOWHERE = Path("x")


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (SIMPLIFIED, "utf-8", "utf-8"),
        (SIMPLIFIED, "utf-8-sig", "utf-8-sig"),
        (SIMPLIFIED, "utf-16", "utf-16"),
        (SIMPLIFIED, "utf-16-le", "utf-16-le"),
        (SIMPLIFIED, "utf-16-be", "utf-16-be"),
        (SIMPLIFIED, "utf-32", "utf-32"),
        (SIMPLIFIED, "gbk", "gb18030"),
        (SIMPLIFIED, "hz", "hz"),
        (SIMPLIFIED, "utf-7", "utf-7"),
        (TRADITIONAL, "gb18030", "gb18030"),
        (TRADITIONAL, "utf-16-be", "utf-16-be"),
        (TRADITIONAL, "big5", "big5"),
        (TRADITIONAL.replace("「", "～碁").replace("」", "‧"), "cp950", "cp950"),
        (JAPANESE, "shift_jis", "cp932"),
        (JAPANESE, "euc_jp", "euc_jp"),
        (JAPANESE, "iso2022_jp", "iso2022_jp"),
        (JAPANESE, "utf-16-le", "utf-16-le"),
        (KOREAN, "euc_kr", "cp949"),
        (KOREAN, "cp949", "cp949"),
        (KOREAN, "iso2022_kr", "iso2022_kr"),
        (KOREAN, "utf-16-be", "utf-16-be"),
        (ENGLISH, "cp1252", "cp1252"),
        (ENGLISH, "utf-16-le", "utf-16-le"),
        (FRENCH, "cp1252", "cp1252"),
        (FRENCH, "utf-7", "utf-7"),
        (CZECH, "cp1250", "cp1250"),
        (POLISH, "cp1250", "cp1250"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (RUSSIAN, "cp866", "cp866"),
        (GREEK, "cp1253", "cp1253"),
        (TURKISH, "cp1254", "cp1254"),
        (HEBREW, "cp1255", "cp1255"),
        (ARABIC, "cp1256", "cp1256"),
        (THAI, "cp874", "cp874"),
        ("plain ASCII, 1+1=2, ~{ a line.\n" * 20, "ascii", "utf-8"),
        ("plain ASCII, a line.\n" * 20, "utf-16-le", "utf-16-le"),
        ("却说", "gbk", "gb18030"),  # too short for any of it to be common
    ],
)
def test_the_encoding_is_found(text: str, encoding: str, found: str) -> None:
    assert decode(text.encode(encoding), NOWHERE) == Decoded(text, None, found)


def test_big5_would_decode_as_gb18030_into_nonsense() -> None:
    data = TRADITIONAL.encode("big5")
    assert data.decode("gb18030") != data.decode("big5")


PROSE = st.text(st.characters(exclude_categories=["C"], exclude_characters="\ufffd"), max_size=60)


@given(PROSE)
def test_any_text_in_utf8_is_itself(text: str) -> None:
    text = SIMPLIFIED[:100] + text  # a few bytes alone can be other things, too
    assert decode(text.encode(), NOWHERE) == Decoded(text, None, "utf-8")


@given(
    PROSE,
    st.sampled_from(["gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252", "utf-16-le", "hz"]),
)
def test_any_text_in_an_encoding_that_is_named_is_itself(text: str, encoding: str) -> None:
    text = text.encode(encoding, "ignore").decode(encoding)
    # Python's own codecs read some bytes otherwise than they write them.
    if text.encode(encoding).decode(encoding) == text:
        assert decode(text.encode(encoding), NOWHERE, encoding) == Decoded(text, None, encoding)


@given(st.data())
def test_any_novel_between_others_is_itself(data: st.DataObject) -> None:
    text, encodings = data.draw(
        st.sampled_from(
            [
                (SIMPLIFIED, ["utf-8", "gb18030", "utf-16-le", "utf-16-be", "hz"]),
                (TRADITIONAL, ["utf-8", "gb18030", "big5", "big5hkscs", "utf-16"]),
                (JAPANESE, ["cp932", "euc_jp", "iso2022_jp", "utf-16-be"]),
                (KOREAN, ["cp949", "utf-16-le"]),
            ]
        )
    )
    start = data.draw(st.integers(0, len(text) - 200))
    piece = text[start : start + data.draw(st.integers(100, 2000))]
    encoding = data.draw(st.sampled_from(encodings))
    assert decode(piece.encode(encoding), NOWHERE).text == piece


@given(st.binary(max_size=300))
def test_any_bytes_give_a_text_or_one_line(data: bytes) -> None:
    try:
        text = decode(data, NOWHERE).text
    except TextgenError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both ends are right
    else:
        assert "\ufffd" not in text


def test_binary_files_are_refused() -> None:
    for data in (Path(sys.executable).read_bytes()[:100_000], bytes(range(256)) * 50):
        with pytest.raises(TextgenError, match=r"no text|not a text file"):
            decode(data, NOWHERE)


def test_an_encoding_can_be_said() -> None:
    assert decode(b"\xa4\x40", NOWHERE, "big5") == Decoded("一", None, "big5")
    with pytest.raises(TextgenError, match="as big5 they make sense"):
        decode(TRADITIONAL.encode("big5"), NOWHERE, "gb18030")
    for name in ("klingon", "hex", "undefined", "utf-8\0"):
        with pytest.raises(UsageError, match=f"--encoding {name} is no encoding"):
            decode(b"abc", NOWHERE, name)


@pytest.mark.parametrize(
    ("first", "second"), [("utf-8", "gb18030"), ("gb18030", "utf-8"), ("utf-8", "big5")]
)
@pytest.mark.parametrize("within", [0, 3])  # between two lines, and within one
def test_a_file_in_two_encodings_is_read_and_said(first: str, second: str, within: int) -> None:
    text = TRADITIONAL if second == "big5" else SIMPLIFIED
    cut = text.index("\n", len(text) // 2) + 1 + within
    line = text.count("\n", 0, cut) + 1
    decoded = decode(text[:cut].encode(first) + text[cut:].encode(second), NOWHERE)
    assert decoded.text == text
    assert decoded.encoding.startswith(f"{first} from line 1, {second}")
    # A line that is in both counts to that which is not UTF-8.
    assert decoded.encoding.endswith(f"from line {line + (within > 0 and second == 'utf-8')}")


def test_a_file_in_two_encodings_is_refused_where_nothing_may_be_odd() -> None:
    data = SIMPLIFIED.encode() + SIMPLIFIED.encode("gbk")
    with pytest.raises(TextgenError, match="leave --errors strict out"):
        decode(data, NOWHERE, errors="strict")
