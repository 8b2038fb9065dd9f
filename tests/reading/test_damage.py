from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reading.novels import JAPANESE, KOREAN, SIMPLIFIED, TRADITIONAL
from textgen.errors import TextgenError
from textgen.reading.damage import Damage, take_out
from textgen.reading.encodings import decode

NOWHERE = Path("x")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (SIMPLIFIED, "utf-8"),
        (SIMPLIFIED, "gb18030"),
        (TRADITIONAL, "big5hkscs"),
        (JAPANESE, "euc_jp"),
        (KOREAN, "cp949"),
    ],
)
@pytest.mark.parametrize("byte", [0x80, 0xA0, 0xFF])
def test_a_byte_too_much_costs_no_more_than_the_characters_beside_it(
    text: str, encoding: str, byte: int
) -> None:
    cut = len(text) // 2
    data = text[:cut].encode(encoding) + bytes([byte]) + text[cut:].encode(encoding)
    decoded = decode(data, NOWHERE)
    assert decoded.damage is not None
    assert decoded.damage.count == 1
    assert decoded.damage.line == text.count("\n", 0, cut) + 1
    alike = same_until(decoded.text, text) + same_until(decoded.text[::-1], text[::-1])
    assert max(len(decoded.text), len(text)) - alike <= 2


def same_until(first: str, second: str) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(second)))


def test_the_euro_sign_of_code_page_936() -> None:
    text = SIMPLIFIED[:1500] + "付了5€。" + SIMPLIFIED[1500:]
    data = text.replace("€", "\0").encode("gbk").replace(b"\0", b"\x80")
    decoded = decode(data, NOWHERE)
    assert decoded.text == text
    assert decoded.damage is not None
    assert decoded.damage.around.endswith("付了5▯€。" + SIMPLIFIED[1500:1506].partition("\n")[0])


def test_the_place_is_shown_on_one_line() -> None:
    _, damage = take_out("第一行\n走\x0b了\ufffd来\u2028，\x1b[31m好\n")
    assert damage == Damage(1, 1, 2, "走 了▯来 ， [31m好")


def test_what_an_earlier_program_could_not_read_is_found_too() -> None:
    text = SIMPLIFIED[:1000] + "\ufffd\ufffd" + SIMPLIFIED[1000:]
    decoded = decode(text.encode(), NOWHERE)
    assert decoded.text == SIMPLIFIED
    assert decoded.damage is not None
    assert decoded.damage.count == 1
    assert "1 place does not fit utf-8 and is left out, in line" in decoded.damage.describe("utf-8")


@settings(max_examples=60)
@given(st.data())
def test_a_file_that_was_cut_anywhere_is_read(data: st.DataObject) -> None:
    text, encoding = data.draw(
        st.sampled_from(
            [
                (SIMPLIFIED, "utf-8"),
                (SIMPLIFIED, "gb18030"),
                (SIMPLIFIED, "utf-16-le"),
                (SIMPLIFIED, "utf-16-be"),
                (TRADITIONAL, "big5"),
                (KOREAN, "cp949"),
                (JAPANESE, "cp932"),
            ]
        )
    )
    whole = text.encode(encoding)
    start = data.draw(st.integers(0, len(whole) - 600))
    end = data.draw(st.integers(start + 500, len(whole)))
    read = decode(whole[start:end], NOWHERE).text
    # All but what stands at the cuts is as it was. Half a character of Big5 or Shift_JIS can be a
    # letter, with which the next one begins otherwise.
    assert read[4:] in text


def test_more_than_one_in_a_thousand_is_refused_unless_told() -> None:
    pieces = [SIMPLIFIED[start : start + 100].encode("gbk") for start in range(0, 3000, 100)]
    data = b"\xff".join(pieces)
    with pytest.raises(TextgenError, match=r"in 29 places, the first in line \d+: .*▯.*replace"):
        decode(data, NOWHERE)
    decoded = decode(data, NOWHERE, errors="replace")
    assert decoded.text == SIMPLIFIED
    assert decoded.damage is not None
    assert decoded.damage.count == 29


def test_one_place_is_refused_where_none_may_be() -> None:
    data = SIMPLIFIED.encode("gbk") + b"\xff"
    with pytest.raises(TextgenError, match=r"1 place, .*mend the file, or leave --errors strict"):
        decode(data, NOWHERE, errors="strict")
    with pytest.raises(TextgenError, match="does not fit big5 in"):
        decode(b"\xff\xff", NOWHERE, "big5", "strict")


@given(st.lists(st.sampled_from(["字", "\n", "\ufffd"]), max_size=30).map("".join))
def test_what_is_taken_out_is_counted(text: str) -> None:
    rest, damage = take_out(text)
    assert rest == text.replace("\ufffd", "")
    places = len([piece for piece in text.replace("\n", "字").split("字") if piece])
    assert (damage.count if damage else 0) == places
    if damage:
        assert isinstance(damage, Damage)
        assert damage.line == text[: text.index("\ufffd")].count("\n") + 1
