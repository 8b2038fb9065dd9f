"""What the steps between two lines of the record come to."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from textgen.language import Message
from textgen.runs.record import Entry
from textgen.training.clock import Clock
from textgen.training.loop import Step
from textgen.training.recovery import NotFiniteError


def require_finite(what: Message, value: float, step: int) -> None:
    """Raise a NotFiniteError that says so if a training has come to infinity or to no number."""
    if not math.isfinite(value):
        raise NotFiniteError(
            "the {what} is {value} at step {step:,}", what=what, value=value, step=step
        )


class Meter:
    """Sums up steps, and reads the sums off; nothing waits for the device before that.

    Args:
        tokens: tokens trained on before the first step.
        seconds: seconds of training before the first step.
        clock: what it goes by.
    """

    def __init__(self, tokens: int = 0, seconds: float = 0.0, clock: Clock | None = None) -> None:
        self.tokens = tokens
        self.seconds = seconds
        self._clock = clock or Clock()
        self.start()

    @property
    def trained(self) -> float:
        """Seconds of training up to the last step that was counted in."""
        return self.seconds + self._latest - self._began

    @property
    def trained_on(self) -> int:
        """Tokens up to there."""
        return self.tokens + self._tokens

    def start(self) -> None:
        """Begin anew, and let the clock run; what took place since ``read`` is not counted."""
        self._began = self._latest = self._clock.read()
        self._tokens = 0
        self._loss: Tensor | float = 0.0

    def add(self, step: Step) -> None:
        """Count a step in."""
        self._tokens += step.tokens
        self._loss = self._loss + step.loss * step.tokens
        self._latest = self._clock.read()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out what takes place inside."""
        before = self._clock.read()
        yield
        away = self._clock.read() - before
        self._began += away
        self._latest += away

    def read(self, step: Step, epoch: float) -> Entry:
        """Return the entry of the record for the steps since ``start``, of which this is the last.

        Raises:
            NotFiniteError: the loss or the gradient is not finite.
        """
        loss = float(self._loss) / self._tokens
        gradient_norm = float(step.gradient_norm)  # waits for the device, so the time is right
        elapsed = self._clock.read() - self._began
        self.tokens += self._tokens
        self.seconds += elapsed
        require_finite(Message("loss"), loss, step.position.step)
        require_finite(Message("gradient"), gradient_norm, step.position.step)
        return {
            "step": step.position.step,
            "epoch": round(epoch, 4),
            "tokens": self.tokens,
            "seconds": round(self.seconds, 3),
            "loss": loss,
            "tokens_per_second": self._tokens / max(elapsed, 1e-9),
            "learning_rate": step.learning_rate,
            "gradient_norm": gradient_norm,
        }
