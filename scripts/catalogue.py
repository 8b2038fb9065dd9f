#!/usr/bin/env python3
"""Bring the catalogues up to date: what textgen says, as it stands in its source.

scripts/catalogue.py

What is new comes with an empty translation, which the tests find; what is gone goes.
"""

import ast
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from cyclopts import App

import textgen.cli.help
from textgen.cli.commands import app

PACKAGE = Path(__file__).resolve().parent.parent / "textgen"
LOCALE = PACKAGE / "locale"
LANGUAGES = ("zh",)

FUNCTIONS = frozenset({"_", "marked", "said", "Message", "Kind"})
ERRORS = frozenset(
    {
        *("TextgenError", "UsageError", "Interrupted", "DamagedError", "FormatError"),
        *("NotFiniteError", "TooShortError", "LostError"),
    }
)
METHODS = frozenset({"debug", "info", "warning", "error"})
"""What is called with a text to translate first: functions, errors, methods of a logger ``log``."""

_SAME_EVERYWHERE = ("", "%s", "  %s", "    %s")


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
    return sorted(PACKAGE.rglob("*.py"))


def help_texts() -> dict[str, str]:
    """Return the texts of the help, each with the command whose page has it first."""
    found: dict[str, str] = {}
    for command in _commands(app):

        def collected(text: str, page: str = " ".join(("textgen", *command, "--help"))) -> str:
            line = " ".join(text.split())
            found.setdefault(line, page)
            return line

        with patch.object(textgen.cli.help, "said", collected), redirect_stdout(StringIO()):
            app.help_print(list(command))
    return found


def _commands(of: App, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of an app's commands, and before them its own."""
    yield words
    flags = (*of.help_flags, *of.version_flags)
    for name in of:
        if name not in flags:
            yield from _commands(of[name], (*words, name))


def messages() -> Iterator[tuple[str, str]]:
    """Yield the texts that are translated, each with the name of its file.

    The help's come from many docstrings, and have that of the file that prints them.
    """
    for path in sources():
        for call in calls(path):
            match call.args[0]:
                case ast.Constant(str(text)) if text not in _SAME_EVERYWHERE:
                    yield path.relative_to(PACKAGE.parent).as_posix(), text
    for text in filter(None, help_texts()):
        yield "textgen/cli/help.py", text


def template() -> Catalog:
    """Return a catalogue of all texts, without translations."""
    catalogue = Catalog(project="textgen", fuzzy=False)
    pages = help_texts()
    for file, text in messages():
        page = [f"on the page of {pages[text]}"] if text in pages else []
        catalogue.add(text, locations=[(file, 0)], auto_comments=page)
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
