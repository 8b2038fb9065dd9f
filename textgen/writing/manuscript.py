"""A text in the making, with every version that it had.

Each version keeps the model's state after it. So going on costs the same however long the text is,
and taking back is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from textgen.config import GenerationConfig
from textgen.errors import UsageError
from textgen.interrupts import StopRequest
from textgen.writing.decoder import Context, Decoder
from textgen.writing.generation import write_on


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

    def begin_anew(self) -> None:
        """Begin a new text; ``undo`` brings the old one back."""
        self._versions.append(Version())

    def undo(self) -> None:
        """Take the last step back, whatever it was.

        Raises:
            UsageError: there is none.
        """
        if len(self._versions) == 1:
            raise UsageError("there is nothing to take back")
        self._versions.pop()

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
        if base.context is None:
            raise UsageError("type a beginning first: there is nothing yet to go on from")
        text, context, read = base.text, base.context, len(base.text)
        steps = write_on(self._decoder, base.context, self._config, [self._number])
        self._number += 1
        for step in steps:
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
        self._versions.append(Version(text, context, base))
