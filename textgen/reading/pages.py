"""HTML pages, and the XML of books: bytes to markup, by the encoding that they name themselves."""

import re
from pathlib import Path

from textgen.reading.detection import by_its_mark
from textgen.reading.encodings import decode

_DECLARATION = re.compile(
    rb"<(?:\?xml|meta)\b[^>]*?\b(?:encoding|charset)\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE
)
_HEAD = 4096
"""Bytes in which a page has said it."""

# The names that pages use, and what browsers read by them. Other names are not asked: many a page
# that says iso-8859-1 is in another encoding, and its bytes fit that name all the same.
_ENCODINGS = {
    **dict.fromkeys((b"utf-8", b"utf8"), "utf-8"),
    **dict.fromkeys((b"gb2312", b"gbk", b"gb18030", b"x-gbk"), "gb18030"),
    **dict.fromkeys((b"big5", b"big5-hkscs"), "big5hkscs"),
    **dict.fromkeys((b"shift_jis", b"shift-jis"), "cp932"),
}


def decode_page(data: bytes, file: str, encoding: str | None = None) -> tuple[str, str]:
    """Decode a page: in the encoding given, else the one it names, else the one that is found.

    Args:
        data: the page's bytes.
        file: its name, for error messages.
        encoding: a name that Python knows, which goes before what the page says.

    Returns:
        The markup, and the name of its encoding.

    Raises:
        TextgenError: as ``decode``.
    """
    if encoding is None and by_its_mark(data) is None:
        declaration = _DECLARATION.search(data[:_HEAD])
        declared = _ENCODINGS.get(declaration[1].lower()) if declaration else None
        if declared is not None:
            try:
                return data.decode(declared), declared
            except UnicodeDecodeError:
                pass  # it says what is not so
    decoded = decode(data, Path(file), encoding)
    return decoded.text, decoded.encoding
