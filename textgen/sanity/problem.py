"""A problem of two whole numbers: as somebody writes it, and as its answer is told."""

import re
from dataclasses import dataclass
from typing import Literal

from textgen.errors import UsageError
from textgen.language import Message

WIDTH = 8
"""Bits of every number that is added or subtracted, and of every answer."""

Sign = Literal["+", "-"]

_HIGHEST: dict[Sign, int] = {"+": 2 ** (WIDTH - 1) - 1, "-": 2**WIDTH - 1}
"""The highest number that a problem may have: two of them have a sum of 8 bits."""

_EXAMPLES: dict[Sign, str] = {"+": "45+27", "-": "123-61"}


@dataclass(frozen=True)
class Problem:
    """Two numbers to add or to subtract.

    Raises:
        UsageError: they, or the answer, are not among the numbers that are trained.
    """

    a: int
    sign: Sign
    b: int

    def __post_init__(self) -> None:
        highest = _HIGHEST[self.sign]
        if not (0 <= self.a <= highest and 0 <= self.b <= highest):
            raise UsageError(
                "{problem} cannot be asked: {width} bits are trained, so take numbers from 0 to "
                "{highest}",
                problem=self,
                width=WIDTH,
                highest=highest,
            )
        if self.answer < 0:
            raise UsageError(
                "{problem} cannot be asked: the answer is below 0, so ask for {b} - {a}",
                problem=self,
                b=self.b,
                a=self.a,
            )

    def __str__(self) -> str:
        return f"{self.a} {self.sign} {self.b}"

    @property
    def answer(self) -> int:
        """The right answer."""
        return self.a + self.b if self.sign == "+" else self.a - self.b

    def worked(self, found: int) -> str:
        """Return the problem with an answer and the bits; behind a wrong one, the right one."""
        a, sign, b = self.a, self.sign, self.b
        bits = f"{a:0{WIDTH}b} {sign} {b:0{WIDTH}b} = {found:0{WIDTH}b}"
        right = "" if found == self.answer else f"   ({self.answer})"
        return f"{a:4} {sign} {b:3} = {found:3}   {bits}{right}"


def read_problem(written: str, sign: Sign) -> Problem:
    """Return the problem that stands there, such as 123-61.

    Args:
        written: what somebody wrote; spaces do not matter.
        sign: the sign that it must have.

    Raises:
        UsageError: it is no problem, has the other sign, or cannot be asked.
    """
    found = re.fullmatch(r"\s*(\d{1,99})\s*([+-])\s*(\d{1,99})\s*", written)
    if found is None or found[2] != sign:
        name = Message("an addition") if sign == "+" else Message("a subtraction")
        line = " ".join(written.split())
        raise UsageError(
            "--ask {line} is not {name}: write it as {example}",
            line=line,
            name=name,
            example=_EXAMPLES[sign],
        )
    return Problem(int(found[1]), sign, int(found[3]))
