"""A trained model, as it comes out of a run folder."""

from dataclasses import dataclass
from pathlib import Path

from textgen.config import DEFAULT_CHECKPOINTS
from textgen.model.device import choose_device
from textgen.model.language_model import LanguageModel, build_model
from textgen.runs.checkpoint import load_weights
from textgen.runs.folder import Run, find_run
from textgen.text.vocab import Vocab


@dataclass(frozen=True)
class Trained:
    """A run with its best weights loaded."""

    run: Run
    model: LanguageModel
    step: int
    """The step that the weights are of."""

    @property
    def vocab(self) -> Vocab:
        """The model's vocabulary."""
        return self.run.vocab


def as_trained(trained: "Trained | Path | str") -> Trained:
    """Return a trained model as it is, or that of the run of that name or in that folder."""
    return trained if isinstance(trained, Trained) else load(trained)


def load(
    name: str | Path | None = None,
    checkpoints: Path | str = DEFAULT_CHECKPOINTS,
    device: str = "auto",
) -> Trained:
    """Load a run's best weights, or its last ones where nothing was held out.

    Args:
        name: the run's name, or the path of its folder; the newest run when not given.
        checkpoints: the folder in which the runs are.
        device: cpu, cuda, mps, or auto.

    Raises:
        TextgenError: there is no such run, it has no checkpoint yet, or its files do not belong
            together.
    """
    run = find_run(Path(checkpoints), None if name is None else str(name))
    model = build_model(len(run.vocab), run.settings.model)
    step = load_weights(run.best if run.best.exists() else run.last, model, run.vocab)
    return Trained(run, model.to(choose_device(device)).eval(), step)
