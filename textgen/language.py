"""The language of what people read: English as it stands in the source, or that of a catalogue.

A library speaks English until ``use`` is called, as the command line does. Whoever draws or prints
takes ``_``; what is made now and shown elsewhere, such as an error, is a ``Message``.
"""

import copy
import gettext
import logging
import os
from pathlib import Path
from typing import Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The first is that of the source, and has no catalogue."""

LOCALE = Path(__file__).parent / "locale"
"""The folder of the catalogues."""

_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""What says which language is wanted, in gettext's order."""

_TAGS: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
"""How HTML names them."""


class _Spoken:
    """What is spoken now, in every thread."""

    language: Language = LANGUAGES[0]
    catalogue = gettext.NullTranslations()


def use(language: Language | None = None) -> None:
    """Speak a language from now on.

    Args:
        language: one of ``LANGUAGES``; without it, what the environment asks for.
    """
    chosen = language or _of_the_environment()
    if chosen != _Spoken.language:
        _Spoken.catalogue = (
            gettext.NullTranslations()
            if chosen == LANGUAGES[0]
            else gettext.translation("textgen", LOCALE, [chosen])
        )
        _Spoken.language = chosen


def spoken() -> Language:
    """Return the language that is spoken, for another process to speak it, too."""
    return _Spoken.language


def tag() -> str:
    """Return the language that is spoken, as HTML names it."""
    return _TAGS[_Spoken.language]


def _(template: str) -> str:
    """Return a text in the language that is spoken; what no catalogue has stays as it is."""
    # A catalogue has its own header under the empty text.
    return _Spoken.catalogue.gettext(template) if template else template


def marked(template: str) -> str:
    """Return a text as it is; whoever shows it translates it. It marks it for the catalogues."""
    return template


class Message:
    """A text that is translated when it is shown.

    Args:
        template: the text in English, with a ``{name}`` for each value.
        values: what is put in; without any, the text may have braces of its own.
    """

    def __init__(self, template: str = "", /, **values: object) -> None:
        self.template = template
        self.values = values

    def __str__(self) -> str:
        return _(self.template).format(**self.values) if self.values else _(self.template)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self.english() == other.english()

    def __hash__(self) -> int:
        return hash(self.template)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.english()!r})"

    def english(self) -> str:
        """Return it as programs read it, and files keep it."""
        if not self.values:
            return self.template
        values = {
            name: value.english() if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return self.template.format(**values)


class TranslatingFormatter(logging.Formatter):
    """Translates what is logged, by its template; the values stay as they are."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record."""
        shown = copy.copy(record)  # others read the record, too
        shown.msg = _(str(record.msg))
        return super().format(shown)


def _of_the_environment() -> Language:
    """Return the first language of the environment's that is there, or else the source's."""
    wanted = next(filter(None, map(os.environ.get, _VARIABLES)), "")
    names = (name[:2].lower() for name in wanted.split(":"))
    found = (language for name in names for language in LANGUAGES if language == name)
    return next(found, LANGUAGES[0])
