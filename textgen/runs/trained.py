"""A trained model, as it comes out of a run folder."""

import logging
from dataclasses import dataclass
from pathlib import Path

from textgen.config import DEFAULT_CHECKPOINTS
from textgen.counts.learned import Learned
from textgen.counts.product import Counts, Product
from textgen.model.device import choose_device
from textgen.model.language_model import LanguageModel, build_model
from textgen.runs.checkpoint import load_weights
from textgen.runs.counted import load_counts
from textgen.runs.folder import Run, find_run
from textgen.text.vocab import Vocab

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A run with its best weights loaded."""

    run: Run
    model: LanguageModel
    step: int
    """The step that the weights are of."""

    counts: Counts | None = None
    """What the model knows beside the network, if it does."""

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
    learned = _learned(run)
    gate = None if learned is None else Product(model.output.in_features, learned.longest)
    weights = run.best if run.best.exists() else run.last
    step = load_weights(weights, model, run.vocab, gate)
    where = choose_device(device)
    counts = None if learned is None or gate is None else Counts(learned, gate.to(where))
    return Trained(run, model.to(where).eval(), step, counts)


def _learned(run: Run) -> Learned | None:
    """Return what counting knows of a run's training text, if the run has anything of it left."""
    if not run.settings.model.counts:
        return None
    if run.counts.exists():
        return load_counts(run.counts, len(run.vocab))
    if (run.folder / "text.txt").exists():
        return Learned.of(run.vocab.encode(run.split()[0]), len(run.vocab))
    log.warning(
        "%s has neither counts.safetensors nor text.txt: it goes on with its network alone, which "
        "writes worse",
        run.name,
    )
    return None
