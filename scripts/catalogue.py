#!/usr/bin/env python3
"""Bring the catalogues up to date: what textgen says, as it stands in its source.

scripts/catalogue.py

What is new comes with an empty translation, which the tests find; what is gone goes.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parent.parent / "textgen"
LOCALE = PACKAGE / "locale"
LANGUAGES = ("zh",)

FUNCTIONS = frozenset({"_", "marked", "Message", "Kind"})
ERRORS = frozenset(
    {
        *("TextgenError", "UsageError", "Interrupted", "DamagedError", "FormatError"),
        *("NotFiniteError", "TooShortError"),
    }
)
METHODS = frozenset({"debug", "info", "warning", "error"})
"""What is called with a text to translate first: functions, errors, methods of a logger ``log``."""

_SAME_EVERYWHERE = ("", "%s", "  %s")

LATER = ("cli",)
"""Rooms that are not translated yet."""


def calls(path: Path) -> Iterator[ast.Call]:
    """Yield the calls in a file whose first argument is translated, as they stand there."""
    tree = ast.parse(path.read_text("utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    for call in sorted(found, key=lambda call: (call.lineno, call.col_offset)):
        match call.func:
            case ast.Name(name) if name in FUNCTIONS | ERRORS:
                yield call
            case ast.Attribute(ast.Name("log"), name) if name in METHODS:
                yield call


def sources() -> list[Path]:
    """Return the files whose texts are translated."""
    later = [PACKAGE / room for room in LATER]
    return [p for p in sorted(PACKAGE.rglob("*.py")) if not set(later) & set(p.parents)]


def messages() -> Iterator[tuple[str, str]]:
    """Yield the texts that are translated, each with the name of its file."""
    for path in sources():
        for call in calls(path):
            match call.args[0]:
                case ast.Constant(str(text)) if text not in _SAME_EVERYWHERE:
                    yield path.relative_to(PACKAGE.parent).as_posix(), text


def template() -> Catalog:
    """Return a catalogue of all texts, without translations."""
    catalogue = Catalog(project="textgen", fuzzy=False)
    for file, text in messages():
        catalogue.add(text, locations=[(file, 0)])
    return catalogue


def catalogue_of(language: str) -> Catalog:
    """Return the catalogue of a language as it stands in its file."""
    path = LOCALE / language / "LC_MESSAGES" / "textgen.po"
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="textgen")


def main() -> None:
    """Write the files of every language."""
    for language in LANGUAGES:
        folder = LOCALE / language / "LC_MESSAGES"
        catalogue = catalogue_of(language)
        catalogue.update(template(), no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        with (folder / "textgen.po").open("wb") as file:
            write_po(file, catalogue, width=100, include_lineno=False)
        with (folder / "textgen.mo").open("wb") as file:
            write_mo(file, catalogue)


if __name__ == "__main__":
    main()
