"""What a training is when it is finished."""

import html
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from textgen.evaluation.mixture import Figures
from textgen.runs.folder import Run
from textgen.writing.trained import Trained, load


@dataclass(frozen=True)
class Result:
    """A finished training."""

    run: Run
    tokens: int
    """Tokens trained on, every repetition counted."""

    tokens_per_second: float
    perplexity: float
    """Of the last steps, in training."""

    device: str
    """Where it was trained."""

    held_out: Figures | None
    """The best weights' figures on the held-out part; none without such a part."""

    @cached_property
    def trained(self) -> Trained:
        """The run with its best weights loaded, as ``load`` returns it."""
        return load(self.run.folder)

    def generate(self, prefix: str, **settings: Any) -> str:  # noqa: ANN401 - of any setting's type
        """Return what the best weights write on from a beginning; see ``Trained.generate``."""
        return self.trained.generate(prefix, **settings)

    def __repr__(self) -> str:
        judged = self.held_out and self.held_out.model.bits_per_character
        figures = [
            f"{self.tokens:,} {self.run.vocab.kind}s",
            f"{self.tokens_per_second:,.0f} a second on {self.device}",
            f"perplexity {self.perplexity:.1f} in training",
            *([] if judged is None else [f"{judged:.3f} bits per character held out"]),
        ]
        return f"<Result {self.run.name}: {', '.join(figures)}>"

    def _repr_html_(self) -> str:
        """Return what it came to, and the curve, as notebooks ask for it."""
        return f"<p>{html.escape(repr(self)[1:-1])}</p>{self.run._repr_html_()}"
