"""A small terminal, which wraps as all do."""

import io
import re

from textgen.cli.printer import width

_STYLE = re.compile(r"\x1b\[[\d;]*m")


class Screen(io.StringIO):
    """Lines as a terminal of so many columns shows them."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns
        self.raw = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.raw += text
        return len(text)

    def lines(self) -> list[str]:
        lines, column = [""], 0
        for character in _STYLE.sub("", self.raw):
            if character == "\n" or column + width(character) > self.columns:
                lines.append("")
                column = 0
            if character != "\n":
                lines[-1] += character
                column += width(character)
        return lines
