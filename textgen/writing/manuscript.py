"""A text in the making, with every version that it had.

Each version keeps the model's state after it. So going on costs the same however long the text is,
and taking back is exact.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from textgen.config import GenerationConfig
from textgen.errors import UsageError
from textgen.interrupts import StopRequest
from textgen.writing.decoder import Context, Decoder
from textgen.writing.generation import new_seed, write_on, write_several


@dataclass(frozen=True)
class Version:
    """A text, and what the model needs to go on from it."""

    text: str = ""
    context: Context | None = None
    """None while there is no text."""

    base: "Version | None" = None
    """What the last continuation was written on from."""


class Manuscript:
    """The text and its versions.

    Args:
        decoder: the model.
        config: how to draw, and where a continuation ends.
    """

    def __init__(self, decoder: Decoder, config: GenerationConfig) -> None:
        self._decoder = decoder
        self._config = config
        self._versions = [Version()]
        self._number = 0
        self._offers: list[Version] = []
        self.seed: int | None = None
        """Of the last continuation, where one was drawn for it."""

    @property
    def version(self) -> Version:
        """What stands."""
        return self._versions[-1]

    @property
    def config(self) -> GenerationConfig:
        """How to draw, and where a continuation ends."""
        return self._config

    def change(self, name: str, value: Any) -> None:  # noqa: ANN401 - of any setting's type
        """Change a setting; a seed, also the same one, begins its texts again.

        Raises:
            UsageError: the value is out of range; nothing has changed.
        """
        self._config = replace(self._config, **{name: value})
        if name == "seed":
            self._number = 0

    def more(self, count: int, stop: StopRequest) -> Iterator[tuple[int, str]]:
        """Yield several continuations of what stands, to choose from with ``take``.

        Args:
            count: how many.
            stop: when asked, they end where they are.

        Yields:
            Which one, from 1 on, and its next piece.

        Raises:
            UsageError: nothing stands yet.
        """
        base = self.version
        context, config, first = self._begin(base, count)
        texts, numbers = [""] * count, range(first, first + count)
        with closing(write_several(self._decoder, context, config, numbers)) as pieces:
            for number, piece, _ in pieces:
                texts[number - first] += piece
                yield number - first + 1, piece
                if stop.asked:
                    break
        self._offers = [
            Version(base.text + text, self._decoder.follow(text, context), base) for text in texts
        ]

    def take(self, number: int) -> None:
        """Let one of the continuations stand that were offered last, from 1 on.

        Raises:
            UsageError: there is none of that number.
        """
        if not 1 <= number <= len(self._offers):
            raise UsageError(
                "there is no continuation {number} to take: /more 5 offers some", number=number
            )
        self._stand(self._offers[number - 1])

    def begin_anew(self) -> None:
        """Begin a new text; ``undo`` brings the old one back."""
        self._stand(Version())

    def undo(self) -> None:
        """Take the last step back, whatever it was.

        Raises:
            UsageError: there is none.
        """
        if len(self._versions) == 1:
            raise UsageError("there is nothing to take back")
        self._versions.pop()
        self._offers = []

    def add(self, text: str, stop: StopRequest) -> Iterator[str]:
        """Put a text after what stands, and yield what the model makes of it, as ``go_on``."""
        top = self.version
        added = Version(top.text + text, self._decoder.read(text, top.context))
        yield from self._continue(added, stop)

    def again(self, stop: StopRequest) -> Iterator[str]:
        """Yield another continuation in the place of the last one.

        Raises:
            UsageError: there is none.
        """
        if self.version.base is None:
            raise UsageError("there is no continuation yet to write again")
        yield from self._continue(self.version.base, stop)

    def go_on(self, stop: StopRequest) -> Iterator[str]:
        """Yield a continuation of what stands, piece by piece; at its end, it stands as well.

        With a seed the first continuation is the one that ``generate`` writes, and each further
        one has numbers of its own.

        Args:
            stop: when asked, the continuation ends, and what was written of it stays.

        Raises:
            UsageError: nothing stands yet.
        """
        yield from self._continue(self.version, stop)

    def _continue(self, base: Version, stop: StopRequest) -> Iterator[str]:
        context, config, number = self._begin(base, 1)
        text, read = base.text, len(base.text)
        for step in write_on(self._decoder, context, config, [number]):
            piece, pending = step.pieces[0], step.endings[0].pending
            if stop.asked and step.endings[0].over is None:
                # What might have become the stop text will not.
                piece, pending = piece + pending, ""
            text += piece
            yield piece
            if not pending:
                context, read = step.context, len(text)
            if stop.asked:
                break
        # The model has read more than is shown where a stop text or a sentence's end came.
        context = self._decoder.follow(text[read:], context)
        self._stand(Version(text, context, base))

    def _begin(self, base: Version, count: int) -> tuple[Context, GenerationConfig, int]:
        """Return where continuations begin, how they are drawn, and the number of the first."""
        context = base.context
        if context is None and self._decoder.end is None:
            raise UsageError("type a beginning first: there is nothing yet to go on from")
        if context is None:  # an item begins with nothing
            context = self._decoder.read("")
        config, number = self._config, self._number
        if config.seed is None:
            config, number = replace(config, seed=new_seed()), 0
        else:
            self._number += count
        self.seed = config.seed if self._config.seed is None else None
        return context, config, number

    def _stand(self, version: Version) -> None:
        self._versions.append(version)
        self._offers = []
