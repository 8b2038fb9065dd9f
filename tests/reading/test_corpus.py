import gzip
import os
import zipfile
from pathlib import Path

import pytest

from tests.conftest import make_story
from textgen.config import ReadingConfig
from textgen.errors import TextgenError
from textgen.language import Message
from textgen.reading.corpus import read_corpus

STORY = make_story(600)


def test_files_and_folders_become_one_text(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "1.TXT").write_text("甲的了", encoding="utf-16")
    (tmp_path / "b" / "第10章.txt").write_text("十的了", encoding="gbk")
    (tmp_path / "b" / "第2章.txt").write_text("二的了", encoding="utf-8")
    (tmp_path / "b" / "notes.md").write_text("no", encoding="utf-8")
    (tmp_path / "a.dat").write_text("一", encoding="utf-8")
    corpus = read_corpus([tmp_path / "a.dat", tmp_path / "b"])
    assert corpus.text == "一\n甲的了\n二的了\n十的了\n"
    assert repr(corpus) == f"<Corpus {tmp_path / 'a.dat'}: 4 files, 14 characters>"
    assert [file.encoding for file in corpus.files] == ["utf-8", "utf-16", "utf-8", "gb18030"]
    assert corpus.left_out == ((tmp_path / "b" / "notes.md", "is no text file"),)


def test_the_rest_of_a_folder_is_read_and_all_else_named(tmp_path: Path) -> None:
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._1.txt").write_bytes(b"\0\1")
    (tmp_path / ".2.txt").write_text("is hidden", encoding="utf-8")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "picture.txt").write_bytes(bytes(range(256)) * 50)
    (tmp_path / "novel.txt").write_text(STORY, encoding="utf-8")
    (tmp_path / "novel gbk.txt").write_text(STORY, encoding="gbk")
    (tmp_path / "link.txt").symlink_to(tmp_path / "novel.txt")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "nowhere.txt").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe.txt")
    corpus = read_corpus([tmp_path])
    assert corpus.text == STORY
    why = {path.name: reason for path, reason in corpus.left_out}
    assert why.pop("__MACOSX") == why.pop(".2.txt") == "is hidden"
    assert why.pop("empty.txt").startswith("is empty")
    assert "no text" in why.pop("picture.txt")
    assert why.pop("loop") == "leads back to a folder above it"
    assert why.pop("pipe.txt") == why.pop("nowhere.txt") == "is no file"
    assert [*why] == ["novel gbk.txt", "novel.txt"]
    assert all(reason == f"is the same text as {tmp_path / 'link.txt'}" for reason in why.values())
    last = corpus.describe()[-1]
    assert last.startswith("Left out: ")
    assert "; " in last


def test_a_folder_without_txt_gives_what_else_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "1.md").write_text("# 第一章\n甲的了\n", encoding="utf-8")
    (tmp_path / "cover.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    corpus = read_corpus([tmp_path])
    assert corpus.text == "# 第一章\n甲的了\n"
    assert corpus.left_out == ((tmp_path / "cover.png", "is no text file"),)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(TextgenError, match="holds no text file"):
        read_corpus([tmp_path / "folder"])
    (tmp_path / "folder" / "empty.txt").write_bytes(b"\n\n")
    with pytest.raises(TextgenError, match=r"no text can be read: .*empty\.txt is empty"):
        read_corpus([tmp_path / "folder"])
    with pytest.raises(TextgenError, match="does not exist"):
        read_corpus([tmp_path / "gone.txt"])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TextgenError, match="is a pipe or a device"):
        read_corpus([tmp_path / "pipe"])
    with pytest.raises(TextgenError, match="cannot be read: File name too long"):
        read_corpus([Path("字" * 1000)])


def test_everything_odd_is_told(tmp_path: Path) -> None:
    (tmp_path / "damaged.txt").write_bytes(STORY.encode("gbk") + b"\xff")
    verse = "Tyger Tyger, burning bright,\n    In the forests of the night;\n" * 10
    (tmp_path / "verse.txt").write_text(verse, encoding="utf-8")
    lines = read_corpus([tmp_path]).describe()
    assert lines[0].endswith("cleaned: nothing")
    assert "1 place does not fit gb18030 and is left out, in line" in lines[1]
    assert "this looks like verse" in lines[3]


def test_many_files_are_told_together(tmp_path: Path) -> None:
    for number in range(30):
        damage = b"\xff" if number % 2 else b""
        (tmp_path / f"{number}.txt").write_bytes(f"{number}{STORY}".encode("gbk") + damage)
    lines = read_corpus([tmp_path]).describe()
    assert lines[0].startswith("30 files: gb18030 (30), 18,050 characters; cleaned:")
    assert len(lines) == 7
    assert lines[-1].startswith("10 more such lines")


def test_settings_of_reading_are_checked() -> None:
    assert ReadingConfig(clean="web").clean == "web"
    with pytest.raises(TextgenError, match="--layout is verse: it must be one of auto, prose"):
        ReadingConfig(layout="verse")  # type: ignore[arg-type]
    with pytest.raises(TextgenError, match="--clean is all: it must be one of web"):
        ReadingConfig(clean="all")  # type: ignore[arg-type]


def test_a_book_and_an_archive_are_texts(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "novels.zip", "w") as archive:
        archive.writestr("第10章.txt", "十" + STORY)
        archive.writestr("第2章.txt", ("二" + STORY).encode("gbk"))
        archive.writestr("noise.txt", bytes(range(256)) * 50)
        archive.writestr("cover.jpg", b"\xff\xd8\xff\xe0")
    (tmp_path / "page.txt.gz").write_bytes(gzip.compress(f"<html><p>{STORY}".encode("gbk")))
    corpus = read_corpus([tmp_path / "novels.zip", tmp_path / "page.txt.gz"])
    assert corpus.files[0].text + corpus.files[1].text == f"二{STORY}十{STORY}"
    assert [file.encoding for file in corpus.files] == ["gb18030", "utf-8", "gb18030"]
    assert corpus.files[2].kind == Message("an HTML page in a gzip archive")
    assert corpus.files[2].text == STORY.replace("\n", "") + "\n"
    assert {path.name for path, _ in corpus.left_out} == {"noise.txt", "cover.jpg"}
    assert "is no text by its name" in corpus.describe()[-1]


def test_what_is_no_text_is_named_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "novel.txt").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(500))
    with pytest.raises(TextgenError, match=r"novel\.txt is a PDF document: "):
        read_corpus([tmp_path / "novel.txt"])


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_long_text_is_read_as_its_pieces_are(tmp_path: Path, encoding: str) -> None:
    lines = "".join(
        f"\u3000\u3000{number}，{STORY[:90].replace(chr(10), '')} \n" for number in range(30_000)
    )
    (tmp_path / "long.txt").write_text(lines, encoding=encoding)
    corpus = read_corpus([tmp_path / "long.txt"])
    assert corpus.text == "".join(f"{line.strip()}\n" for line in lines.splitlines())
    (file,) = corpus.files
    assert file.cleaned.changes == {"lines with indents or trailing spaces": 30_000}
    assert sum(file.counts.values()) == len(corpus.text)
