"""What the steps between two lines of the record come to."""

import math
import time

from torch import Tensor

from textgen.runs.record import Entry
from textgen.training.loop import Step
from textgen.training.recovery import NotFiniteError


def require_finite(what: str, value: float, step: int) -> None:
    """Raise a NotFiniteError that says so if a training has come to infinity or to no number."""
    if not math.isfinite(value):
        raise NotFiniteError(f"the {what} is {value} at step {step:,}")


class Meter:
    """Sums up steps, and reads the sums off; nothing waits for the device before that.

    Args:
        tokens: tokens trained on before the first step.
        seconds: seconds of training before the first step.
    """

    def __init__(self, tokens: int = 0, seconds: float = 0.0) -> None:
        self.tokens = tokens
        self.seconds = seconds
        self.start()

    def start(self) -> None:
        """Begin anew, and let the clock run; what took place since ``read`` is not counted."""
        self._began = time.perf_counter()
        self._tokens = 0
        self._loss: Tensor | float = 0.0

    def add(self, step: Step) -> None:
        """Count a step in."""
        self._tokens += step.tokens
        self._loss = self._loss + step.loss * step.tokens

    def read(self, step: Step, epoch: float) -> Entry:
        """Return the entry of the record for the steps since ``start``, of which this is the last.

        Raises:
            NotFiniteError: the loss or the gradient is not finite.
        """
        loss = float(self._loss) / self._tokens
        gradient_norm = float(step.gradient_norm)  # waits for the device, so the time is right
        elapsed = time.perf_counter() - self._began
        self.tokens += self._tokens
        self.seconds += elapsed
        require_finite("loss", loss, step.position.step)
        require_finite("gradient", gradient_norm, step.position.step)
        return {
            "step": step.position.step,
            "epoch": round(epoch, 4),
            "tokens": self.tokens,
            "seconds": round(self.seconds, 3),
            "loss": loss,
            "tokens_per_second": self._tokens / elapsed,
            "learning_rate": step.learning_rate,
            "gradient_norm": gradient_norm,
        }
