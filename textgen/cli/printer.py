"""A text that appears whole or piece by piece, in a terminal or in a pipe."""

import shutil
import sys
import unicodedata
from typing import Literal, TextIO

from textgen.names import readable


def print_text(text: object, end: str = "\n") -> None:
    """Print a text, or a name; on a terminal nothing of it that steers it."""
    whole = str(text)
    print(readable(whole) if sys.stdout.isatty() else whole, end=end, flush=True)


def print_wrapped(text: str) -> None:
    """Print a line of words; on a terminal none of them is broken at the right edge."""
    print_text(fitted(readable(text), sys.stdout) if sys.stdout.isatty() else text)


_JOINERS = "\u200c\u200d"
"""They stand inside words, and take no column: zero width non-joiner and joiner."""


class Printer:
    """Prints pieces of a text on stdout as they come.

    Into a pipe or a file they go as they are. A terminal breaks lines by itself, and never inside
    a wide character; but it breaks words of an alphabet. So there, and only there, a word is kept
    back until it is complete, and begins a new line where it does not fit. And what steers a
    terminal is only marked there.
    """

    def __init__(self) -> None:
        self._wraps = sys.stdout.isatty()
        self._cursor = _Cursor("terminal")

    def write(self, piece: str) -> None:
        """Print a piece at once, but for the letters of a word that may go on."""
        if not self._wraps:
            shown = piece
        else:
            columns = shutil.get_terminal_size().columns
            harmless = readable(piece).replace("\t", " ")
            shown = "".join(self._cursor.placed(character, columns) for character in harmless)
        if shown:
            sys.stdout.write(shown)
            sys.stdout.flush()

    def end(self) -> None:
        """Print what is kept back, and end the line."""
        if self._wraps:
            sys.stdout.write(self._cursor.placed_word(shutil.get_terminal_size().columns))
        self._cursor = _Cursor("terminal")
        sys.stdout.write("\n")
        sys.stdout.flush()


def fitted(text: str, stream: TextIO) -> str:
    """Return a text as it is to be written: for a terminal, wrapped by words."""
    if not stream.isatty():
        return text
    return "\n".join(wrapped(text, max(shutil.get_terminal_size().columns, 1)))


def wrapped(text: str, columns: int, *, at_spaces: bool = False) -> list[str]:
    """Return a text as lines that fit into so many columns; no word is broken that fits into one.

    A full-width character takes two columns, and a line may end behind any of them, but not before
    the punctuation that closes.

    Args:
        text: the text; an end of a line in it stays.
        columns: of the terminal.
        at_spaces: whether full-width characters form words, too, as in a command.
    """
    cursor = _Cursor("spaces" if at_spaces else "text")
    placed = "".join(cursor.placed(character, columns) for character in text)
    return [line.rstrip() for line in (placed + cursor.placed_word(columns)).split("\n")]


_OPENING = frozenset("（［〔【《〈「『“‘")
_CLOSING = frozenset("，。、；：？！）］〕】》〉」』”’…—～")


class _Cursor:
    """Where the next character stands, and the word that is still kept back.

    Args:
        kind: "terminal" breaks lines itself where they are full, and what is wide is not kept back
            there; "text" is broken behind wide characters and spaces, "spaces" only behind those.
    """

    def __init__(self, kind: Literal["terminal", "text", "spaces"]) -> None:
        self._kind = kind
        self._column = 0
        self._word = ""

    def placed(self, character: str, columns: int) -> str:
        """Return what is to be printed now that a character comes."""
        if self._goes_on(character):
            self._word += character
            return ""
        word = self.placed_word(columns)
        if character == "\n" or (character == " " and self._column >= columns):
            self._column = 0
            return f"{word}\n"  # a space at the right edge is the end of the line
        if character == " " or self._kind == "terminal":
            return word + self._advanced(character, columns)
        self._word = character
        return word

    def _goes_on(self, character: str) -> bool:
        """Return whether a character belongs to the word that is kept back, or begins one."""
        last = self._word[-1:]
        if character in " \n":
            return False
        if self._kind == "spaces" or not last:
            return self._kind != "terminal" or _is_of_a_word(character)
        if _is_of_a_word(character) and _is_of_a_word(last):
            return True
        return self._kind == "text" and (character in _CLOSING or last in _OPENING)

    def placed_word(self, columns: int) -> str:
        """Return the word that was kept back, on a new line where it does not fit."""
        word, self._word = self._word, ""
        length = sum(map(width, word))
        breaks = 0 < self._column < columns < self._column + length and length <= columns
        if breaks:
            self._column = 0
        return "\n" * breaks + "".join(self._advanced(character, columns) for character in word)

    def _advanced(self, character: str, columns: int) -> str:
        """Follow the cursor. At the right edge it stays until the next character needs a line."""
        size = width(character)
        fits = self._column + size <= columns
        self._column = self._column + size if fits else size
        return character if fits or self._kind == "terminal" else f"\n{character}"


def width(character: str) -> int:
    """Return the columns that a character takes in a terminal."""
    if unicodedata.combining(character) or character in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_of_a_word(character: str) -> bool:
    """Return whether a character belongs to what should not be broken, with the marks beside it."""
    in_ascii = "!" <= character <= "~"
    return in_ascii or ((character.isalnum() or character in _JOINERS) and width(character) < 2)
