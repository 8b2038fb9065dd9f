"""How a text is cut into words, and where jieba keeps its table."""

import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT, make_story
from tests.processes import killing
from textgen.text import tokenizer
from textgen.text.vocab import Vocab
from textgen.text.words import words

KNOWN = Vocab.build("庞师傅修好了收音机。庞师傅说，收音机", "word", min_count=2)


def cutting(cache: Path) -> "subprocess.Popen[str]":
    """Start a process that cuts a text, whose table is kept in a folder."""
    return subprocess.Popen(
        [sys.executable, "-c", "from textgen.text.words import words; print(*words('我们读书'))"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def test_two_at_a_time_keep_their_table_in_the_cache(tmp_path: Path) -> None:
    for _ in range(2):  # made, and found there
        with ExitStack() as stack:
            both = [stack.enter_context(killing(cutting(tmp_path))) for _ in range(2)]
            assert [one.communicate() for one in both] == [("我们 读书\n", "")] * 2
        (kept,) = (tmp_path / "textgen").iterdir()
        assert kept.name.endswith(".cache")


@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_a_table_that_cannot_be_kept_or_read_is_made(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        (tmp_path / "textgen").touch()  # a file stands in the folder's place
    else:
        (tmp_path / "textgen").mkdir()
        (tmp_path / "textgen" / f"jieba-{version('jieba')}.cache").write_bytes(content)
    with killing(cutting(tmp_path)) as process:
        assert process.communicate() == ("我们 读书\n", "")


def test_an_unknown_word_is_read_as_the_known_ones_in_it() -> None:
    vocab = Vocab({"收音": 3, "收": 2, "音": 2, "机": 1}, "word", {"书铺": 1})
    assert list(words("收音机")) == ["收音机"]
    assert vocab.split("收音机") == ["收音", "机"]
    assert vocab.split("书铺") == ["书铺"]  # too rare to be one of its own, and learned as <unk>
    assert vocab.split("录音机。") == ["录", "音", "机", "。"]
    assert vocab.encode("录音机。").tolist() == [0, 3, 4, 0]
    assert vocab.unknown("录音机。") == ["录", "。"]
    assert vocab.in_pieces("录音机。收音") == {"录音机": ["录", "音", "机"]}


@given(st.text("庞师傅修好了收音机。说，龘a"))
def test_no_piece_is_lost_and_nothing_known_is_left_in_an_unknown_one(text: str) -> None:
    pieces = KNOWN.split(text)
    assert "".join(pieces) == text
    assert len(KNOWN.encode(text)) == len(pieces)
    for piece in KNOWN.unknown(text):
        assert piece in KNOWN.folded or not any(character in KNOWN for character in piece)


LINES = st.text("庞师傅修好了收音机。说，龘aB1.%+- \t\r\n\u3000𠮷", max_size=60)


@given(LINES, st.integers(1, 20))
def test_a_text_is_cut_once_and_so_are_its_parts(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textgen.text.words._REMEMBERED", 0)
        patch.setattr("textgen.text.words._PIECE", size)
        assert list(words(text)) == list(tokenizer.cut(text))
        patch.setattr("textgen.text.words._cut", None)  # from here on it is known
        for place in range(len(text) + 1):
            for part in (text[:place], text[place:]):
                if part == text[:place] or "\n" in part:
                    found = words(part)
                    assert list(found) == list(tokenizer.cut(part))
                    assert found.kinds == tuple(dict.fromkeys(found))
                    assert found.counts() == Counter(found)


def test_many_processes_cut_as_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(make_story(300, seed) for seed in range(9))
    monkeypatch.setattr("textgen.text.words._LONG", 1)
    monkeypatch.setattr("textgen.text.words._REMEMBERED", 1)
    monkeypatch.setattr("textgen.text.words._PIECE", 200)
    monkeypatch.setattr("textgen.text.cutters._LEAST_SHARE", 1)
    monkeypatch.setattr("textgen.text.cutters.cores", lambda: 2)
    assert list(words(text)) == list(tokenizer.cut(text))
