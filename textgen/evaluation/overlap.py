"""How much of a text that is judged stands in the training text: is it unknown to the model at all?

The same novel twice in a folder, or a file that was trained on, make every figure look good. The
measure is that of copying.py: characters in stretches of ten or more that stand in both texts; of
twenty, where most characters are letters of an alphabet, of which ten are only two words. So
measured, a novel's own end has 1 or 2 percent: 1.2 in 红楼梦, 2.1 in 西游记, 1.5 in Shakespeare.

A long text is looked at in 100 pieces, evenly spread over it.

Shapes: B stretches.
"""

import logging
from dataclasses import asdict, dataclass
from typing import Any, get_type_hints

from textgen.errors import TextgenError
from textgen.evaluation.copying import LONG, TrainingText, covered
from textgen.language import _
from textgen.runs.folder import Run
from textgen.runs.format import FormatError, require

log = logging.getLogger(__name__)

MOST = 50_000
"""Characters of a text that are looked at, at most."""

NATURAL = 0.05
"""Share up to which nothing is said: more is not a language's phrases."""

_PIECE = 500
"""Characters next to each other that are looked at or left out together."""

_FIRST_IDEOGRAPH = "\u2e80"
"""Before it stand the alphabets, from it on the characters of China, Japan and Korea."""

_CONFIG = "held_out_in_training_text"


@dataclass(frozen=True)
class Overlap:
    """What of a text stands word for word in the training text."""

    share: float
    """Share of the characters that are in stretches of so many or more."""

    length: int
    """Characters in a stretch from which on it counts."""

    characters: int
    """How many characters of the text were looked at."""

    total: int
    """How many it has."""

    @classmethod
    def of(cls, training_text: str, text: str) -> "Overlap":
        """Measure how much of a text stands in the training text."""
        sample = _sample(text)
        length = _stretch(sample)
        begins = TrainingText(training_text).find(sample, length)
        if len(sample) < len(text):  # a stretch over two pieces stands nowhere
            begins = begins[begins % _PIECE <= _PIECE - length]
        return cls(covered(len(sample), begins, length), length, len(sample), len(text))

    @property
    def is_natural(self) -> bool:
        """Whether any text that goes on in the same language has as much."""
        return self.share <= NATURAL

    def remarks(self, name: str) -> list[str]:
        """Return the line that no figure of the text goes without, unless the share is natural.

        Args:
            name: what the text is called.
        """
        if self.is_natural:
            return []
        which = name
        if self.characters < self.total:
            spread = _("{count:,} characters spread over {name}")
            which = spread.format(count=self.characters, name=name)
        line = _(
            "Of {which}, {share:.1%} stand in the training text in stretches of {length} or more, "
            "where 1 or 2% are natural: the figures are those of a text that the model knows"
        )
        return [line.format(which=which, share=self.share, length=self.length)]


def held_out_overlap(run: Run) -> Overlap | None:
    """Return how much of a run's held-out part stands in its training text.

    It was measured when the run was made, and of a run that was made before, it is measured now;
    none where nothing was held out, or the text is gone.
    """
    if _CONFIG in run.config:
        return recorded_overlap(run.config)
    try:
        training_text, held_out_text = run.learned_text(), run.split()[1]
    except TextgenError:
        return None
    return Overlap.of(training_text, held_out_text) if held_out_text else None


def recorded_overlap(config: dict[str, Any]) -> Overlap | None:
    """Return what a run's ``config.json`` tells of that.

    Raises:
        TextgenError: it tells something else.
    """
    values, types = config.get(_CONFIG), get_type_hints(Overlap)
    if values is None:
        return None
    try:
        require(config, {_CONFIG: dict}, missing=False)
        require(values, types, missing=False)
    except FormatError as error:
        raise TextgenError(
            "config.json {error}, of the {config}", error=error, config=_CONFIG
        ) from None
    return Overlap(**{name: values[name] for name in types})


def held_out_remarks(run: Run) -> list[str]:
    """Return the line that no held-out figure of a run goes without, if there is one."""
    overlap = held_out_overlap(run)
    return overlap.remarks(_("the held-out part")) if overlap else []


def tell_held_out(run: Run) -> None:
    """Say that line before the first held-out figure is shown."""
    for remark in held_out_remarks(run):
        log.warning("%s", remark)


def measured(training_text: str, held_out_text: str) -> dict[str, Any]:
    """Return what ``config.json`` keeps for ``held_out_overlap``."""
    overlap = Overlap.of(training_text, held_out_text) if held_out_text else None
    return {_CONFIG: overlap and asdict(overlap)}


def _sample(text: str) -> str:
    """Return a text, or of a long one pieces that are evenly spread from its begin to its end."""
    if len(text) <= MOST:
        return text
    count = MOST // _PIECE
    firsts = (number * (len(text) - _PIECE) // (count - 1) for number in range(count))
    return "".join(text[first : first + _PIECE] for first in firsts)


def _stretch(text: str) -> int:
    """Return from how many characters on a stretch of a text counts."""
    letters = sum(character < _FIRST_IDEOGRAPH for character in text)
    return 2 * LONG if 2 * letters > len(text) else LONG
