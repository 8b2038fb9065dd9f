import bz2
import gzip
import io
import json
import lzma
import sqlite3
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.numpy import save

from tests.conftest import ROOT, make_story
from textgen.reading.kinds import kind_of


def zipped(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "text")
    return data.getvalue()


def tarred() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.add(ROOT / "LICENSE", "LICENSE")
    return data.getvalue()


def array() -> bytes:
    data = io.BytesIO()
    np.save(data, np.zeros(3))
    return data.getvalue()


def database() -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE chapter (text)")
        data = connection.serialize()
    connection.close()
    return data


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
PALM = b"Hong Lou Meng".ljust(60, b"\0")


def names(value: object) -> str:
    """Name a case by what is found: archives hold the time at which they were made."""
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
        (rb"{\rtf1\ansi\ansicpg936 text}", "an RTF document"),
        (gzip.compress(b"text"), "a gzip archive"),
        (zipped("a.txt"), "a zip archive"),
        (zipped(), "a zip archive"),
        (zipped("a.txt")[:60], "a zip archive"),
        (zipped("notes/word/document.xml"), "a zip archive"),
        (zipped("mimetype", "META-INF/container.xml", "c.xhtml"), "an EPUB book"),
        (zipped("[Content_Types].xml", "word/document.xml"), "a Word document (.docx)"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "a spreadsheet (.xlsx)"),
        (zipped("mimetype", "META-INF/manifest.xml"), "an OpenDocument file (.odt, .ods, .odp)"),
        (OLE + "WordDocument".encode("utf-16-le"), "an old Word document (.doc)"),
        (OLE, "an old Office file (.doc, .xls, .ppt)"),
        (PALM + b"BOOKMOBI\0\0", "a Mobipocket or Kindle book (.mobi, .azw3)"),
        (PALM + b"TEXtREAd\0\0", "a PalmDoc book (.pdb)"),
        (b"ITSF\3\0\0\0`\0\0\0", "a compiled HTML help file (.chm)"),
        (b"\x89\x9b\x9a\xde#\1\0\0\n", "a UMD book (.umd)"),
        (b'<?xml version="1.0"?>\n<FictionBook xmlns="x">', "an FB2 book"),
        (
            b"From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n",
            "a saved web page (.mht)",
        ),
        (b"7z\xbc\xaf'\x1c\0\4", "a 7-Zip archive"),
        (b"Rar!\x1a\7\1\0", "a RAR archive"),
        (bz2.compress(b"text"), "a bzip2 archive"),
        (lzma.compress(b"text"), "an xz archive"),
        (tarred(), "a tar archive"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "an image (PNG)"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "an image (JPEG)"),
        (b"GIF89a\1\0\1\0\x80\0\0", "an image (GIF)"),
        (b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0", "an image (BMP)"),
        (b"ID3\3\0\0\0\0\0\0", "a sound or a film"),
        (database(), "a SQLite database"),
        (Path(sys.executable).read_bytes()[:1000], "a program"),
        (array(), "a NumPy array (.npy)"),
        (save({"weight": np.zeros(3)}), "a safetensors file"),
        (b'{"text": "\xe4\xb8\x80"}\n', "a JSON file"),
        (json.dumps(["一", "二"]).encode("utf-16"), "a JSON file"),
        (b'{"text": "1"}\n{"text": "2"}\n', "a JSON file"),
        (b"<!DOCTYPE html>\n<p>text", "an HTML page"),
        ("\ufeff\r\n<?xml version='1.0'?><!-- saved --><HTML lang=zh>".encode(), "an HTML page"),
        ("\n<!doctype HTML>".encode("utf-16"), "an HTML page"),
    ],
    ids=names,
)
def test_a_file_is_known_by_its_bytes(data: bytes, name: str) -> None:
    kind = kind_of(data)
    assert kind is not None
    assert kind.name == name


BEGINNINGS = (
    *(
        "BM",
        "PK",
        "%",
        "%PDF",
        "{",
        "{\\",
        "{\\rtf:",
        "<",
        "<p>",
        "<!",
        "<?xml?>",
        "[",
        "MZ",
        "GIF",
    ),
    *("GIF89a", "ID3", "RIFF", "Rar!", "7z", "OggS", "BZh9", "ITSF", "CAJ", "HN", "II*", "MM", "L"),
    *("1999", "{}", "[1]", '{"a": 1}', "<html", "PK第", "%一", "\ufeff", "塠氜", "婍", "䵂", ""),
)
LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"])


@given(
    st.sampled_from(BEGINNINGS),
    st.text(LETTERS, max_size=300),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be"]),
)
@example("<", "html。", "utf-8")
@example("<html", "\U00018000", "utf-16-le")  # whose first byte is a space
def test_whatever_a_text_begins_with_it_may_be_text(
    beginning: str, text: str, encoding: str
) -> None:
    data = f"{beginning}{text}。\n第一回\n".encode(encoding, errors="ignore")
    assert kind_of(data) is None


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le"])
def test_wherever_a_novel_begins_it_may_be_text(encoding: str) -> None:
    novel = make_story(2000) + (ROOT / "corpus" / "sample.txt").read_text("utf-8")
    for start in range(len(novel) - 10):
        assert kind_of(novel[start : start + 400].encode(encoding)) is None


@given(st.binary())
def test_any_bytes_have_an_answer(data: bytes) -> None:
    kind_of(data)
    kind_of(zipped("a.txt")[: len(data)] + data)


def test_what_has_no_end_has_an_answer() -> None:
    assert kind_of(b"<!---->" * 600 + b"<p>") is None
    assert kind_of(b"<?" * 2000) is None
    assert kind_of(b"[" * 200_000) is None
    assert kind_of(b'{"a":' * 200_000) is None
