"""What was written, as text, as JSON or as Markdown."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textgen.cli.printer import print_text
from textgen.cli.results import copying_values, print_json
from textgen.config import GenerationConfig
from textgen.errors import TextgenError, UsageError
from textgen.files import write_atomically
from textgen.language import _
from textgen.names import to_json

if TYPE_CHECKING:
    from textgen.evaluation.copying import Copying
    from textgen.writing.endings import Ending

log = logging.getLogger(__name__)

Format = Literal["text", "json", "markdown"]

_ANYWHERE = re.compile(r"([\\`*_\[\]<>&~|$])")
_WHERE_A_LINE_BEGINS = re.compile(r"^( *)([#+=-]|\d+(?=[.)]))")
"""What Markdown would not print as it stands."""


@dataclass
class Written:
    """A text that is written, as far as it is."""

    prefix: str
    ending: "Ending"
    text: str = ""
    """What follows the prefix."""

    is_line: bool = False
    """Whether it is an item that is a line: among others it needs nothing to stand above it."""

    def header(self, number: int, count: int) -> str:
        """Return what stands above it, one of several texts; numbers begin with 0."""
        if count == 1 or self.is_line:
            return ""
        return _("--- {number} of {count} ---").format(number=number + 1, count=count) + "\n"


def as_text(texts: Sequence[Written]) -> str:
    """Return the texts as they stand in a terminal."""
    return "".join(
        f"{one.header(number, len(texts))}{one.prefix}{one.text}\n"
        for number, one in enumerate(texts)
    )


def as_markdown(texts: Sequence[Written], generation: GenerationConfig, name: str) -> str:
    """Return the texts with a heading each, their beginnings strong, and how they were drawn."""
    parts = []
    for number, one in enumerate(texts, start=1):
        *before, last = [f"<strong>{_escaped(line)}</strong>" for line in one.prefix.split("\n")]
        first, *after = map(_escaped, one.text.split("\n"))
        # A line of a novel is a paragraph.
        parts += [f"## {number}", *before, last + first, *(line for line in after if line.strip())]
    how = [
        _("temperature {temperature:g}").format(temperature=generation.temperature),
        _escaped(name),
    ]
    if generation.seed is not None:
        how.insert(0, _("seed {seed}").format(seed=generation.seed))
    return "\n\n".join([*parts, f"*{_(', ').join(how)}*"]) + "\n"


def _escaped(line: str) -> str:
    line = _ANYWHERE.sub(r"\\\1", line)
    if begin := _WHERE_A_LINE_BEGINS.match(line):
        spaces, mark = begin.groups()
        rest = line[begin.end() :]
        return f"{spaces[:3]}{mark}\\{rest}" if mark.isdigit() else f"{spaces[:3]}\\{mark}{rest}"
    return line


def chosen_format(form: Format | None, *, as_json: bool) -> Format:
    """Return what --format and --json ask for.

    Raises:
        UsageError: they ask for two things.
    """
    if as_json and form not in (None, "json"):
        raise UsageError("--json and --format {form} are two formats: give one of them", form=form)
    return "json" if as_json else form or "text"


def deliver(
    texts: Sequence[Written],
    form: Format,
    generation: GenerationConfig,
    name: str,
    copyings: Sequence["Copying"],
    out: Path | None,
) -> None:
    """Print the texts in a format, or write them into a file.

    Args:
        texts: what was written.
        form: the format.
        generation: how it was drawn.
        name: the run's.
        copyings: what of each text is copied, if that was asked for.
        out: the file; standard output when not given.

    Raises:
        TextgenError: the file cannot be written; then the texts are printed.
    """
    values = _json_values(texts, generation, copyings) if form == "json" else {}
    if form == "markdown":
        content = as_markdown(texts, generation, name)
    elif form == "text":
        content = as_text(texts)
    elif out is None:
        print_json(**values)
        return
    else:
        content = f"{to_json(values)}\n"
    if out is None:
        print_text(content, end="")
        return
    try:
        write_atomically(out, content.encode("utf-8", "replace"))
    except TextgenError:
        print_text(content, end="")  # so that nothing is lost
        raise
    log.info("%s: %s characters", out, f"{sum(len(one.text) for one in texts):,}")


def _json_values(
    texts: Sequence[Written], generation: GenerationConfig, copyings: Sequence["Copying"]
) -> dict[str, object]:
    """Return the first text, and where there are several, all of them."""
    copied = [copying_values(copying) for copying in copyings] or [{}] * len(texts)
    samples = [
        {"prefix": one.prefix, "text": one.text, **values}
        for one, values in zip(texts, copied, strict=True)
    ]
    values: dict[str, object] = {"prefix": texts[0].prefix, "text": texts[0].text}
    several = {"samples": samples} if len(samples) > 1 else {}
    return {**values, "seed": generation.seed, **copied[0], **several}
