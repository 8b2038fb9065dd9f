"""What a request has done on the writing thread: token after token, so that others come in between.

Nothing here knows of HTTP.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from textgen.serving.asked import Completion
from textgen.writing.decoder import Decoder
from textgen.writing.generation import Step, write_on

Finish = Literal["stop", "length"] | None
"""Why a text ended; None while it goes on."""


class Written(NamedTuple):
    """A token more of one text."""

    number: int
    """The text's number among all of the request's."""

    piece: str
    """What can be shown now; it may be empty."""

    finish: Finish = None


def write(decoder: Decoder, asked: Completion) -> Iterator[Written]:
    """Yield one token of each text in turn, until all have ended.

    Text i of a prompt is the i-th sample of ``textgen generate``, whatever else is asked for. That
    a prompt was read is yielded as an empty piece: it may take as long as a thousand tokens.
    """
    going: list[tuple[int, Iterator[Step]]] = []
    for place, prompt in enumerate(asked.prompts):
        first = place * asked.n
        context = decoder.follow(asked.written, decoder.read(prompt))
        going += [
            (first + number, write_on(decoder, context, asked.config, [number], asked.stops))
            for number in range(asked.n)
        ]
        yield Written(first, "")
    while going:
        for text in list(going):
            index, steps = text
            step = next(steps)
            finish = _finish(step)
            if finish is not None:
                going.remove(text)
            yield Written(index, step.pieces[0], finish)


def _finish(step: Step) -> Finish:
    over = step.endings[0].over
    return over if over in (None, "length") else "stop"
