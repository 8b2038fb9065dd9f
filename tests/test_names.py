import json
import os
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from textgen.names import is_plain, readable, to_json

HANZI = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)


def as_unzip_leaves(name: str) -> str:
    return name.encode("gbk").decode("utf-8", "surrogateescape")


@given(st.text(HANZI, min_size=1), st.sampled_from(["", ".txt", "-20261126-145102", "(1) a.txt"]))
def test_a_name_in_gbk_is_read(name: str, ending: str) -> None:
    bytes_of_it = as_unzip_leaves(name + ending)
    if "\udc80" <= max(bytes_of_it) <= "\udcff":  # some are UTF-8 by chance
        message = f"小说/{bytes_of_it}: utf-8, 12 characters"
        assert readable(message) == f"小说/{name}{ending}: utf-8, 12 characters"


@given(st.text())
def test_nothing_of_a_name_steers_a_terminal_or_cannot_be_sent(name: str) -> None:
    shown = readable(name)
    shown.encode()
    controls = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
    assert controls <= set("\n\t\u200c\u200d")
    assert readable(shown) == shown


def test_what_is_no_name_in_gbk_has_its_bytes_replaced() -> None:
    assert readable(os.fsdecode(b"caf\xe9.txt")) == "caf\ufffd.txt"
    assert readable("第一章\u3000开始\u200d.txt") == "第一章\u3000开始\u200d.txt"
    assert readable("a\x1b]0;b\x07.txt") == "a\ufffd]0;b\ufffd.txt"


def test_a_plain_name() -> None:
    assert all(map(is_plain, ("完本", "第一章\u3000开始", as_unzip_leaves("完本"), "\U0003134f")))
    assert not any(map(is_plain, ("", " ", ".", "a/b", "a\n", "a\x1b", "\udcff")))


@given(st.lists(st.text()))
def test_json_brings_every_name_back(names: list[str]) -> None:
    text = to_json({"names": names})
    assert json.loads(text.encode()) == {"names": names}
