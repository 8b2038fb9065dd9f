"""What a file really is, whatever its name says: told by its first bytes.

puremagic and its like know hundreds of kinds, and many by two or three letters: to them a text that
begins with BM is a picture, and every zip archive a Word document. Here stand the kinds that people
who look for novels have, each with bytes that no text begins with.
"""

import io
import json
import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from textgen.language import marked


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name with an article, and what to do where it cannot be read.

    Both are translated where they are shown.
    """

    name: str
    advice: str


_UNPACK = marked("unpack it, and give the texts that it holds")
_TAKE_OUT = marked("unpack it, and give it by itself")
_EXPORT = marked("save it as plain text (.txt) first, with a program that opens it")
_CALIBRE = marked("save it as text first, for example with Calibre's ebook-convert")
_NO_TEXT = marked("it holds no text to learn from; give a text file")

GZIP = Kind("a gzip archive", _UNPACK)
ZIP = Kind("a zip archive", _UNPACK)
EPUB = Kind("an EPUB book", _TAKE_OUT)
WORD = Kind("a Word document (.docx)", _TAKE_OUT)
HTML = Kind("an HTML page", _TAKE_OUT)

_JSON = Kind("a JSON file", marked("take the texts out of it, and give them as a .txt file"))
_PDF = Kind("a PDF document", marked("save it as text first, for example with pdftotext"))
_OLD_WORD = Kind("an old Word document (.doc)", _EXPORT)
_OLD_OFFICE = Kind("an old Office file (.doc, .xls, .ppt)", _EXPORT)
_MEDIA = Kind("a sound or a film", _NO_TEXT)
_SHORTCUT = Kind("a Windows shortcut (.lnk)", marked("give the file that it points to"))
_COMPANION = Kind("what macOS keeps beside a file (._)", marked("give the file itself"))

# What is all letters is followed by what no text has there.
_SIGNATURES = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb"PK\x03\x04|PK\x05\x06", ZIP),
        (rb"\x1f\x8b\x08", GZIP),
        (rb"(?:\xef\xbb\xbf)?\s*%PDF-\d", _PDF),
        (rb"{\\rtf\d", Kind("an RTF document", _EXPORT)),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLD_OFFICE),
        (rb".{31}\0.{28}BOOKMOBI", Kind("a Mobipocket or Kindle book (.mobi, .azw3)", _CALIBRE)),
        (rb".{31}\0.{28}TEXtREAd", Kind("a PalmDoc book (.pdb)", _CALIBRE)),
        (rb"ITSF[\x02-\x04]\0", Kind("a compiled HTML help file (.chm)", _CALIBRE)),
        (rb"\x89\x9b\x9a\xde#\x01\0", Kind("a UMD book (.umd)", _EXPORT)),
        (rb"(?:\xef\xbb\xbf)?<\?xml[^>]*>\s*<FictionBook[\s>]", Kind("an FB2 book", _CALIBRE)),
        (
            rb"(?:From|MIME-Version): .{0,1000}Content-Type: multipart/related",
            Kind(
                "a saved web page (.mht)", marked("save it as HTML, with a browser that opens it")
            ),
        ),
        (rb"(?:CAJ|HN)\0", Kind("a CAJ document", _EXPORT)),
        (rb"AT&TFORM.{4}DJV", Kind("a DjVu document", _EXPORT)),
        (rb"7z\xbc\xaf\x27\x1c", Kind("a 7-Zip archive", _UNPACK)),
        (rb"Rar!\x1a\x07", Kind("a RAR archive", _UNPACK)),
        (rb"BZh\d1AY&SY", Kind("a bzip2 archive", _UNPACK)),
        (rb"\xfd7zXZ\0", Kind("an xz archive", _UNPACK)),
        (rb"\x28\xb5\x2f\xfd", Kind("a Zstandard archive", _UNPACK)),
        (rb"(?=.{257}ustar[\0 ])[^\0]{1,107}\0", Kind("a tar archive", _UNPACK)),
        (rb"PK\x07\x08PK", Kind("a part of a split zip archive", _UNPACK)),
        (rb"\x89PNG\r\n\x1a\n", Kind("an image (PNG)", _NO_TEXT)),
        (rb"\xff\xd8\xff[\xc0-\xfe]", Kind("an image (JPEG)", _NO_TEXT)),
        (rb"GIF8[79]a.{6}\0", Kind("an image (GIF)", _NO_TEXT)),
        (rb"RIFF.{4}WEBPVP8", Kind("an image (WebP)", _NO_TEXT)),
        (rb"BM.{4}\0{4}", Kind("an image (BMP)", _NO_TEXT)),
        (rb"II\*\0.{2}\0\0|MM\0\*\0\0", Kind("an image (TIFF)", _NO_TEXT)),
        (rb"ID3[\x02-\x04]\0|OggS\0|fLaC\0|RIFF.{4}(?:WAVEfmt|AVI LIST)", _MEDIA),
        (rb"\0.{3}ftyp|\x1aE\xdf\xa3", _MEDIA),
        (rb"SQLite format 3\0", Kind("a SQLite database", _EXPORT)),
        (rb"bplist00[\x80-\xff]", Kind("a macOS property list or web archive", _EXPORT)),
        (rb"L\0{3}\x01\x14\x02\0", _SHORTCUT),
        (rb"\0\x05\x16[\0\x07]\0", _COMPANION),
        (rb"\x7fELF|MZ.{26}\0{8}", Kind("a program", _NO_TEXT)),
        (rb".{4}\0{4}{\"", Kind("a safetensors file", _NO_TEXT)),
        (rb"\x93NUMPY[\x01-\x03]\0", Kind("a NumPy array (.npy)", _NO_TEXT)),
    )
)

_WORD_DOCUMENT = "WordDocument".encode("utf-16-le")

# Where one of these is, a zip archive is really the kind beside it.
_MEMBERS = {
    "META-INF/container.xml": EPUB,
    "word/document.xml": WORD,
    "xl/workbook.xml": Kind("a spreadsheet (.xlsx)", _EXPORT),
    "ppt/presentation.xml": Kind("a presentation (.pptx)", _EXPORT),
    "META-INF/manifest.xml": Kind("an OpenDocument file (.odt, .ods, .odp)", _EXPORT),
}

# An HTML page begins so, perhaps after a declaration and comments.
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*+(?:<\?[^>]*+>\s*+|(?><!--.*?-->)\s*+)*+"
    rb"<(?:!doctype\s+html|html)[\s>]",
    re.DOTALL | re.IGNORECASE,
)
_HEAD = 4096
"""Bytes in which a page has begun."""


def kind_of(data: bytes) -> Kind | None:
    """Return what a file is by its bytes; None for what may be plain text."""
    for signature, kind in _SIGNATURES:
        if signature.match(data):
            if kind is ZIP:
                return _kind_of_zip(data)
            return _OLD_WORD if kind is _OLD_OFFICE and _WORD_DOCUMENT in data else kind
    if any(map(_HTML.match, _readings(data[:_HEAD]))):
        return HTML
    return _JSON if _is_json(data) else None


def _readings(head: bytes) -> Iterator[bytes]:
    """Yield what letters of ASCII a file may begin with: as it stands, and read as UTF-16."""
    yield head
    for encoding in ("utf-16-le", "utf-16-be"):
        yield head.decode(encoding, "ignore").lstrip("\ufeff").encode("ascii", "replace")


def _kind_of_zip(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error):
        return ZIP  # damaged: who reads it says how
    return next((kind for member, kind in _MEMBERS.items() if member in members), ZIP)


def _is_json(data: bytes) -> bool:
    """Whether all of it is one object or list of JSON, or every line is an object."""
    start = data[:_HEAD].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1]
    if start not in (b"{", b"["):
        return False
    try:
        json.loads(data)
    except RecursionError:
        return False
    except ValueError:
        return start == b"{" and _is_json_lines(data)
    return True


def _is_json_lines(data: bytes) -> bool:
    try:
        return all(isinstance(json.loads(line), dict) for line in data.splitlines() if line.strip())
    except (ValueError, RecursionError):
        return False
