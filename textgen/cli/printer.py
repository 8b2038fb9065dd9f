"""A text that appears whole or piece by piece, in a terminal or in a pipe."""

import shutil
import sys
import unicodedata

from textgen.names import readable


def print_text(text: object, end: str = "\n") -> None:
    """Print a text, or a name; on a terminal nothing of it that steers it."""
    whole = str(text)
    print(readable(whole) if sys.stdout.isatty() else whole, end=end, flush=True)


def print_wrapped(text: str) -> None:
    """Print a line of words; on a terminal none of them is broken at the right edge."""
    printer = Printer()
    printer.write(text)
    printer.end()


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
        self._column = 0
        self._word = ""

    def write(self, piece: str) -> None:
        """Print a piece at once, but for the letters of a word that may go on."""
        if not self._wraps:
            shown = piece
        else:
            columns = shutil.get_terminal_size().columns
            harmless = readable(piece).replace("\t", " ")
            shown = "".join(self._placed(character, columns) for character in harmless)
        if shown:
            sys.stdout.write(shown)
            sys.stdout.flush()

    def end(self) -> None:
        """Print what is kept back, and end the line."""
        if self._wraps:
            sys.stdout.write(self._placed_word(shutil.get_terminal_size().columns))
        self._column = 0
        sys.stdout.write("\n")
        sys.stdout.flush()

    def _placed(self, character: str, columns: int) -> str:
        if _is_letter(character):
            self._word += character
            return ""
        word = self._placed_word(columns)
        if character == "\n" or (character == " " and self._column >= columns):
            self._column = 0
            return f"{word}\n"  # a space at the right edge is the end of the line
        self._advance(character, columns)
        return word + character

    def _placed_word(self, columns: int) -> str:
        word, self._word = self._word, ""
        length = sum(map(width, word))
        breaks = 0 < self._column < columns < self._column + length and length <= columns
        if breaks:
            self._column = 0
        for character in word:
            self._advance(character, columns)
        return f"\n{word}" if breaks else word

    def _advance(self, character: str, columns: int) -> None:
        """Follow the cursor. At the right edge it stays until the next character needs a line."""
        size = width(character)
        fits = self._column + size <= columns
        self._column = self._column + size if fits else size


def width(character: str) -> int:
    """Return the columns that a character takes in a terminal."""
    if unicodedata.combining(character) or character in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_letter(character: str) -> bool:
    """Return whether a character belongs to a word that should not be broken."""
    return (character.isalnum() or character in ("'", "-", *_JOINERS)) and width(character) < 2
