"""Books and documents that are zip archives of markup: EPUB and Word."""

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from textgen.errors import TextgenError
from textgen.reading.archives import Zip
from textgen.reading.markup import Tag, html_to_text, tags, word_to_text
from textgen.reading.pages import decode_page

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"


def epub_to_text(book: Zip) -> tuple[str, list[str]]:
    """Return the pages of an EPUB book in the order of its spine, without the contents.

    Returns:
        The text, and the names of pages that ought to be there and are not.

    Raises:
        TextgenError: it has no page, does not say which, is locked or damaged.
    """
    packages = [tag.attributes.get("full-path") for tag in _tags(book, _CONTAINER, "rootfile")]
    package = next(filter(None, packages), None)
    if package is None:
        raise TextgenError(
            "{file} is no sound EPUB book: its {container} does not say what it holds; "
            "fetch or make it anew",
            file=book.file,
            container=_CONTAINER,
        )
    pages = _spine(book, package)
    there = set(book.names)
    missing = [page for page in pages if page not in there]
    if len(missing) == len(pages):
        raise TextgenError(
            "{file} is no sound EPUB book: of its {count} pages, none is there; "
            "fetch or make it anew",
            file=book.file,
            count=len(pages),
        )
    if _ENCRYPTION in there:
        # Fonts may be locked: they are not read.
        locked = {
            unquote(tag.attributes.get("uri", ""))
            for tag in _tags(book, _ENCRYPTION, "cipherreference")
        }
        if not locked.isdisjoint(pages):
            raise TextgenError(
                "{file} is locked against copying (DRM); give a text that is not", file=book.file
            )
    texts = (html_to_text(_markup(book, page)) for page in pages if page in there)
    return "".join(texts), missing


def word_document_to_text(document: Zip) -> str:
    """Return the paragraphs of a Word document (.docx).

    Raises:
        TextgenError: it is locked or damaged.
    """
    return word_to_text(_markup(document, "word/document.xml"))


def _spine(book: Zip, package: str) -> list[str]:
    """Return the names of the pages, each once, in reading order."""
    folder = posixpath.dirname(package)
    items: dict[str, str] = {}
    contents = set()
    order = []
    for tag in _tags(book, package, "item", "itemref", "reference"):
        about = tag.attributes
        if tag.name == "itemref":
            order.append(about.get("idref", ""))
            continue
        # Members' names, even where they lead up and out of the book: then there is none.
        page = posixpath.normpath(posixpath.join(folder, unquote(about.get("href", ""))))
        if tag.name == "item" and not about.get("media-type", "").startswith("image/"):
            items[about.get("id", "")] = page
        if about.get("type") == "toc" or "nav" in about.get("properties", "").split():
            contents.add(page)
    return [
        page
        for page in dict.fromkeys(items[name] for name in order if name in items)
        if page not in contents
    ]


def _tags(book: Zip, member: str, *names: str) -> Iterator[Tag]:
    for tag in tags(_markup(book, member)):
        if tag.name in names and not tag.closing:
            yield tag


def _markup(book: Zip, member: str) -> str:
    return decode_page(book.read(member), book.place(member))[0]
