"""Where a text ends: at a length, before one of the stop texts, or after so many sentences.

All three work on the characters of what is drawn, whatever the tokens are: a word that goes beyond
the length is cut off there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from textgen.config import GenerationConfig

_ENDS = frozenset("。！？")
_CLOSING = frozenset("”’」』）》")
"""What closes a quotation or a parenthesis belongs to the sentence that ends inside it."""


@dataclass(frozen=True)
class Ending:
    """How near a text is to its end. Every token makes a new one, and nothing is changed."""

    length: int
    """Characters that may still be drawn."""

    stops: tuple[str, ...] = ()
    """The text ends before the first of these that comes."""

    sentences: int | None = None
    """Sentences that are still to come."""

    sentence_ended: bool = False
    """Whether the last character ended a sentence; closing quotes may follow."""

    pending: str = ""
    """What was drawn and is not shown: it may become a stop text, or comes after the end, as the
    rest of a word does that is cut off."""

    over: Literal["length", "stop", "sentences"] | None = None
    """What ended the text."""

    @classmethod
    def of(cls, config: GenerationConfig, stops: Sequence[str] = ()) -> "Ending":
        """Return the ending of a text that has not begun; further stop texts may be given."""
        first = () if config.stop is None else (config.stop,)
        return cls(config.length, (*first, *stops), config.sentences)

    def feed(self, token: str) -> tuple[str, "Ending"]:
        """Return what may be shown now that a token is drawn, and the ending after it."""
        token, rest = token[: self.length], token[self.length :]
        length = self.length - len(token)
        if not self.stops and self.sentences is None:  # the usual case: nothing to look for
            return token, Ending(length, pending=rest, over=None if length else "length")
        text = self.pending + token
        found = [place for stop in self.stops if (place := text.find(stop)) >= 0]
        stopped = bool(found)
        cut = min(found or [_shown_before(text, stop) for stop in self.stops] or [len(text)])
        if not length and not stopped:
            cut = len(text)  # the stop text cannot come any more
        after = _count_sentences(replace(self, length=length), text[:cut])
        if after.over is None and stopped:
            after = replace(after, over="stop")
        elif after.over is None and not length:
            complete = after.sentences == 1 and after.sentence_ended
            after = replace(after, over="sentences" if complete else "length")
        shown = text[: cut - len(after.pending)]
        return shown, replace(after, pending=text[len(shown) :] + rest)


def _count_sentences(ending: Ending, text: str) -> Ending:
    """Return the ending after a text, and as pending what stands after its last sentence."""
    if ending.sentences is None:
        return replace(ending, pending="")
    sentences, ended = ending.sentences, ending.sentence_ended
    for place, character in enumerate(text):
        if ended and character not in _ENDS and character not in _CLOSING:
            sentences, ended = sentences - 1, False
            if sentences == 0:
                return replace(ending, sentences=0, pending=text[place:], over="sentences")
        ended = ended or character in _ENDS
    return replace(ending, sentences=sentences, sentence_ended=ended, pending="")


def _shown_before(text: str, stop: str) -> int:
    """Return how many characters can be shown: what might still become the stop text cannot."""
    starts = range(max(0, len(text) - len(stop) + 1), len(text))
    return next((start for start in starts if stop.startswith(text[start:])), len(text))
