"""A trained model that is asked to write, as Python's users have it."""

from pathlib import Path
from typing import Any

from textgen.bars import heard
from textgen.config import DEFAULT_CHECKPOINTS, GenerationConfig
from textgen.runs import trained
from textgen.writing.generation import generate


class Trained(trained.Trained):
    """A run with its best weights loaded."""

    def generate(self, prefix: str, **settings: Any) -> str:  # noqa: ANN401 - of any setting's type
        """Return what the model writes on from a beginning, at once.

        Args:
            prefix: the beginning, at least one character; it is not in what is returned.
            settings: those of ``GenerationConfig``: ``temperature=0.8, length=100``.

        Raises:
            TextgenError: the prefix is empty, there is no setting of that name, or a value is out
                of range.
        """
        return "".join(generate(self, prefix, GenerationConfig.of(**settings)))


@heard()
def load(
    name: str | Path | None = None,
    checkpoints: Path | str = DEFAULT_CHECKPOINTS,
    device: str = "auto",
) -> Trained:
    """Load a run's best weights, or its last ones where nothing was held out.

    Args:
        name: the run's name, or the path of its folder; when not given, the newest run, or where
            there is none yet, the model that comes with textgen, ``base``.
        checkpoints: the folder in which the runs are.
        device: where ``model`` will compute: cpu, cuda, mps, or auto. Writing never leaves the
            processor.

    Raises:
        TextgenError: there is no such run, it has no checkpoint yet, or its files do not belong
            together.
    """
    found = trained.load(name, checkpoints, device)
    return Trained(found.run, found.weights, found.learned, found.device)
