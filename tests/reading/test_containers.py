import gzip
import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import make_story
from tests.reading.test_kinds import names
from textgen.errors import TextgenError
from textgen.language import Message
from textgen.reading import archives
from textgen.reading.containers import LeftOut, Part, parts

STORY = make_story(400)

CONTAINER = """<?xml version="1.0"?>
<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>"""

PACKAGE = """<?xml version='1.0'?><opf:package xmlns:opf="http://www.idpf.org/2007/opf"><opf:manifest>
<opf:item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<opf:item id="two" href="%E7%AC%AC%E4%BA%8C%E5%9B%9E.xhtml" media-type="application/xhtml+xml"/>
<opf:item id="one" href="../OEBPS/1.xhtml" media-type="application/xhtml+xml"/>
<opf:item id="toc" href="toc.html" media-type="application/xhtml+xml"/>
<opf:item id="cover" href="cover.jpg" media-type="image/jpeg"/></opf:manifest>
<opf:spine><opf:itemref idref="cover"/><opf:itemref idref="nav"/><opf:itemref idref="one"/>
<opf:itemref idref="toc"/><opf:itemref idref="two"/><opf:itemref idref="one"/></opf:spine>
<opf:guide><opf:reference type="toc" href="toc.html"/><opf:reference type="text" href="1.xhtml"/>
</opf:guide></opf:package>"""

BOOK: Mapping[str, str | bytes] = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": CONTAINER,
    "OEBPS/content.opf": PACKAGE,
    "OEBPS/nav.xhtml": "<html><body><nav><ol><li>第一回</li></ol></nav></body></html>",
    "OEBPS/toc.html": "<html><body>目录</body></html>",
    "OEBPS/第二回.xhtml": '<?xml version="1.0" encoding="utf-16"?><p>第二回</p>'.encode("utf-16"),
    "OEBPS/1.xhtml": "<html><head><title/></head><body><h1>第一回</h1><p>旧书。</p></body></html>",
}

DOCUMENT = {
    "[Content_Types].xml": "<Types/>",
    "word/document.xml": "<w:document><w:p><w:r><w:t>第一回</w:t></w:r></w:p></w:document>",
}


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def one(name: str, data: bytes, encoding: str | None = None) -> Part:
    (part,) = parts(Path(name), data, encoding)
    assert isinstance(part, Part)
    return part


def test_a_plain_text_is_itself() -> None:
    data = "# 第一回\n\n*旧书*".encode("gbk")
    for name in ("novel.txt", "novel.md", "novel"):
        assert one(name, data) == Part(name, data)


def test_gzip_is_unpacked() -> None:
    data = STORY.encode("gbk")
    packed = gzip.compress(data[:300]) + gzip.compress(data[300:])
    for name in ("novel.txt.gz", "novel.txt", "novel"):
        assert one(name, packed) == Part(name, data, kind=Message("a gzip archive"))
    page = gzip.compress("<p>第一回".encode())
    assert one("1.html.gz", page).text == "第一回\n"
    assert one("1.HTM.GZ", page).kind == Message("an HTML page in a gzip archive")
    assert one("1.gz", page).text is None


def test_damaged_gzip_is_told() -> None:
    data = gzip.compress(STORY.encode())
    for damaged in (data[:-9], data[:-3], data[:20] + data[21:], data + b"more"):
        with pytest.raises(TextgenError, match=r"^1.gz is damaged \(.+\); fetch or make it anew$"):
            one("1.gz", damaged)


def test_a_zip_archive_is_its_texts() -> None:
    page = "<html><meta charset=gb2312><p>镕</p>".encode("gbk")
    members: dict[str, str | bytes] = {
        "10.txt": STORY,
        "第1.5回": STORY.encode("gbk"),
        "folder/": "",
        "folder/2.TXT": page,
        "folder/3.md": "# 三",
        "empty.txt": "",
        "cover.jpg": b"\xff\xd8\xff\xe0",
        "scan.txt": b"%PDF-1.7",
        "more.zip": "",
        "more.txt": zipped({"1.txt": STORY}),
        "__MACOSX/._10.txt": b"\0\5\x16\7\0",
        "folder/.hidden/1.txt": STORY,
        "../../etc/1.txt": STORY,
        "/1.txt": STORY,
        "1\x1b[2J\n\u202e.txt": STORY,
    }
    found = list(parts(Path("a/novels.zip"), zipped(members)))
    assert [part for part in found if isinstance(part, Part)] == [
        Part("a/novels.zip/10.txt", STORY.encode()),
        Part("a/novels.zip/第1.5回", STORY.encode("gbk")),
        Part("a/novels.zip/folder/2.TXT", b"", "镕\n", "gb18030", Message("an HTML page")),
        Part("a/novels.zip/folder/3.md", "# 三".encode()),
        Part("a/novels.zip/../../etc/1.txt", STORY.encode()),
        Part("a/novels.zip/1.txt", STORY.encode()),
        Part("a/novels.zip/1?[2J??.txt", STORY.encode()),
    ]
    assert [part for part in found if isinstance(part, LeftOut)] == [
        LeftOut("a/novels.zip/empty.txt", Message("is empty")),
        LeftOut("a/novels.zip/cover.jpg", Message("is no text by its name")),
        LeftOut("a/novels.zip/scan.txt", Message("is a PDF document")),
        LeftOut("a/novels.zip/more.zip", Message("is no text by its name")),
        LeftOut("a/novels.zip/more.txt", Message("is a zip archive")),
        LeftOut("a/novels.zip/__MACOSX/._10.txt", Message("is hidden")),
        LeftOut("a/novels.zip/folder/.hidden/1.txt", Message("is hidden")),
    ]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("红楼梦.txt".encode("gbk"), "红楼梦.txt"),
        ("红楼梦\\第一回.txt".encode("gbk"), "红楼梦/第一回.txt"),
        ("红楼梦.txt".encode(), "红楼梦.txt"),
        ("café.txt".encode("cp437"), "café.txt"),
    ],
)
def test_names_that_are_not_said_to_be_utf_8(raw: bytes, name: str) -> None:
    ascii_name = "x" * len(raw)
    data = zipped({ascii_name: STORY}).replace(ascii_name.encode(), raw)
    assert one("n.zip", data).name == f"n.zip/{name}"


def test_a_name_can_be_empty() -> None:
    data = bytearray(zipped({"x": STORY}))
    for lengths in (26, data.index(b"PK\1\2") + 28):  # of the name, and of what follows it
        data[lengths : lengths + 4] = struct.pack("<HH", 0, 1)
    assert one("n.zip", bytes(data)) == Part("n.zip/", STORY.encode())


def locked(data: bytes, flags: int = 1, method: int = 8) -> bytes:
    """Say in the directory of an archive that its last member is encrypted."""
    header = data.rindex(b"PK\1\2") + 8
    return data[:header] + struct.pack("<HH", flags, method) + data[header + 4 :]


def test_what_is_locked_is_told() -> None:
    data = zipped({"cover.jpg": "", "1.txt": STORY})
    for other, reason in (
        (locked(data), "is locked with a password"),
        (locked(data, 0, 9), "is packed in a rare way"),
    ):
        found = parts(Path("n.zip"), other)
        assert next(found) == LeftOut("n.zip/cover.jpg", Message("is no text by its name"))
        assert next(found) == LeftOut("n.zip/1.txt", Message(reason))
        with pytest.raises(TextgenError, match=rf"holds no text .*: n.zip/1.txt {reason}; give"):
            next(found)


def test_an_archive_without_a_text_is_refused() -> None:
    for data in (zipped({}), zipped({"a/": ""})):
        with pytest.raises(
            TextgenError, match=r"^n\.zip .* holds no text that can be read; give .txt"
        ):
            one("n.zip", data)


def test_a_damaged_zip_archive_is_told() -> None:
    data = zipped({"1.txt": STORY})
    for damaged in (data[:-30], data[:40] + b"\0" + data[41:], data.replace(b"PK\1\2", b"PK\1\3")):
        with pytest.raises(TextgenError, match=r"^n.zip(/1.txt)? is damaged \(.+\); fetch"):
            one("n.zip", damaged)


def test_a_book_is_its_pages_in_order() -> None:
    book = one("book.epub", zipped(BOOK))
    assert book == Part(
        "book.epub", b"", "第一回\n旧书。\n第二回\n", "utf-8", Message("an EPUB book")
    )
    assert one("book.txt", zipped(BOOK)).text == book.text


def test_what_is_wrong_with_a_book_is_told() -> None:
    lock = (
        "<encryption><EncryptedData><CipherData><CipherReference URI='OEBPS/{}'/>"
        "</CipherData></EncryptedData></encryption>"
    )
    name = "META-INF/encryption.xml"
    lacking = zipped({**BOOK, "OEBPS/content.opf": PACKAGE.replace("/1.xhtml", "/../../1.xhtml")})
    assert list(parts(Path("b.epub"), lacking)) == [
        Part("b.epub", b"", "第二回\n", "utf-8", Message("an EPUB book")),
        LeftOut("b.epub/../1.xhtml", Message("is a page of the book, but not there")),
    ]
    with pytest.raises(TextgenError, match=r"1\.xhtml is locked with a password; unpack it"):
        one("b.epub", locked(zipped(BOOK)))
    assert one("b.epub", zipped({**BOOK, name: lock.format("font.otf")})).text
    for changes, message in (
        ({name: lock.format("1.xhtml")}, r"is locked against copying \(DRM\)"),
        ({"META-INF/container.xml": "<container>"}, "does not say what it holds"),
        ({"META-INF/container.xml": CONTAINER.replace("content", "c")}, "c.opf is not there"),
        ({"OEBPS/content.opf": "<item id='1'/><itemref idref='1'/>"}, "of its 1 pages, none is"),
        ({"OEBPS/content.opf": ""}, "of its 0 pages, none is there"),
    ):
        with pytest.raises(TextgenError, match=message):
            one("b.epub", zipped({**BOOK, **changes}))


def test_a_word_document_is_its_paragraphs() -> None:
    assert one("n.docx", zipped(DOCUMENT)) == Part(
        "n.docx", b"", "第一回\n", "utf-8", Message("a Word document (.docx)")
    )


def test_entities_do_not_grow() -> None:
    entities = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(30))
    laughs = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    text = one("b.epub", zipped({**BOOK, "OEBPS/1.xhtml": f"{laughs}<p>&e30;&f;</p>"})).text
    assert text is not None
    assert text.endswith("&e30;&f;\n第二回\n")
    document = {**DOCUMENT, "word/document.xml": f"{laughs}<w:p><w:t>&e30;&f;</w:t></w:p>"}
    assert one("n.docx", zipped(document)).text == "&e30;&f;\n"


@pytest.mark.parametrize(
    ("data", "name", "encoding", "found", "text"),
    [
        ("<p>镕</p>".encode(), "1.html", None, "utf-8", "镕\n"),
        (f"<p>{STORY}</p>".encode("gbk"), "1.XHTML", None, "gb18030", None),
        ("<!doctype html><p>镕".encode("utf-8-sig"), "1.txt", None, "utf-8-sig", "镕\n"),
        ("<html><p>镕".encode("utf-16"), "1.txt", None, "utf-16", "镕\n"),
        ("<html><meta charset='Big5'>碁".encode("big5hkscs"), "1.txt", None, "big5hkscs", "碁\n"),
        ("<html><meta charset=gbk>一".encode(), "1.htm", None, "utf-8", "一\n"),
        ("<html><meta charset=iso-8859-1>一".encode(), "1.htm", None, "utf-8", "一\n"),
        ("<html><meta charset=unicode_escape>一".encode(), "1.htm", None, "utf-8", "一\n"),
        ("<html><meta charset=utf-8>一".encode("big5"), "1.htm", "big5", "big5", "一\n"),
    ],
)
def test_a_page_is_read_in_its_encoding(
    data: bytes, name: str, encoding: str | None, found: str, text: str | None
) -> None:
    page = one(name, data, encoding)
    assert (page.encoding, page.kind) == (found, Message("an HTML page"))
    assert page.text == text or text is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.7", "a PDF document: save it as text first, for example with pdftotext"),
        (gzip.compress(b"%PDF-1.7"), "a PDF document in a gzip archive: save it as text first"),
        (gzip.compress(zipped(BOOK)), "an EPUB book in a gzip archive: unpack it, and give it by"),
        (gzip.compress(zipped({"1.txt": STORY})), "a zip archive in a gzip archive: unpack it"),
        (b'{"text": "..."}', "a JSON file: take the texts out of it"),
    ],
    ids=names,
)
def test_what_is_not_read_is_named(data: bytes, message: str) -> None:
    with pytest.raises(TextgenError) as raised:
        one("novel.txt", data)
    assert str(raised.value).startswith(f"novel.txt is {message}")


def test_a_bomb_is_not_unpacked() -> None:
    nothing = bytes(archives.HARMLESS + 1)
    with pytest.raises(TextgenError, match=r"1\.gz unpacks to more than 50,000,000 bytes"):
        one("1.gz", gzip.compress(nothing, 1))


def test_all_that_comes_out_of_a_file_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "HARMLESS", 1000)
    story = STORY.encode()
    packed = {f"{number}.txt": story for number in range(1000)}
    assert len(list(parts(Path("n.zip"), zipped(packed)))) == 1000  # a tenth is trusted
    monkeypatch.setattr(archives, "RATIO", 2)
    for name, data in (
        ("n.zip", zipped(packed)),
        ("b.epub", zipped({**BOOK, "OEBPS/1.xhtml": story * 50})),
        ("d.docx", zipped({**DOCUMENT, "word/document.xml": story * 50})),
    ):
        with pytest.raises(TextgenError, match=f"^{name} unpacks to more than"):
            list(parts(Path(name), data))
    monkeypatch.setattr(archives, "LARGEST", 1000)
    with pytest.raises(TextgenError, match="unpacks to more than 1,000 bytes"):
        one("1.gz", gzip.compress(bytes(1001), 0))


def test_sizes_in_an_archive_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "HARMLESS", 1000)
    monkeypatch.setattr(archives, "RATIO", 0)
    for size in (1, 2**32 - 2):
        data = zipped({"1.txt": bytes(100_000)})
        entry = data.index(b"PK\1\2") + 24
        with pytest.raises(TextgenError, match=r"damaged|unpacks to more"):
            one("1.zip", data[:entry] + struct.pack("<I", size) + data[entry + 4 :])


SAMPLES = (
    *(zipped({"1.txt": STORY, "2.html": "<p>二"}), zipped(BOOK), zipped(DOCUMENT)),
    *(gzip.compress(STORY.encode()), b"<html><meta charset=gbk>" + STORY.encode("gbk"), b""),
)


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), max_size=4),
    st.sampled_from(["1.txt", "1.html", "1.txt.gz", "1.zip"]),
)
@example(b"PK\5\6" + bytes(18), [], "1.zip")
def test_any_bytes_are_read_or_refused_in_one_line(
    data: bytes, changes: list[tuple[float, bytes]], name: str
) -> None:
    for where, what in changes:
        start = int(where * len(data))
        data = data[:start] + what + data[start + len(what) :]
    lines: list[str] = []
    try:
        lines.extend(part.name for part in parts(Path(name), data))
    except TextgenError as error:
        lines.append(str(error))
    assert lines
    for line in lines:
        assert line.startswith(name)
        assert len(line.splitlines()) == 1
