"""A trained model, as it comes out of a run folder.

What writing needs is there at once, and needs no torch. The modules, to judge or to experiment
with, are made when they are first asked for.
"""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from textgen.config import DEFAULT_CHECKPOINTS
from textgen.counts.learned import Learned
from textgen.runs import base
from textgen.runs.counted import load_counts
from textgen.runs.finding import find_run, newest_checkpoints
from textgen.runs.folder import Run
from textgen.runs.weights import DamagedError, Weights, read_weights
from textgen.text.vocab import Vocab

if TYPE_CHECKING:
    from textgen.counts.product import Counts
    from textgen.model.language_model import LanguageModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A run with its best weights loaded."""

    run: Run
    weights: Weights
    learned: Learned | None = None
    """What counting knows of the training text, if the model knows anything beside the network."""

    device: str = "auto"
    """Where the modules compute: cpu, cuda, mps, or auto."""

    def __repr__(self) -> str:
        resolved = self.run.settings.model.resolved()
        size = f"{resolved.hidden_size} units"
        kinds = f"{len(self.vocab) - 1:,} {self.vocab.kind}s"
        count = resolved.num_networks
        networks = "a network" if count == 1 else f"{count} networks"
        knows = f"{networks} {'alone' if self.learned is None else 'with counts'}"
        return f"<Trained {self.run.name}: step {self.step:,}, {size}, {kinds}, {knows}>"

    @property
    def vocab(self) -> Vocab:
        """The model's vocabulary."""
        return self.run.vocab

    @property
    def step(self) -> int:
        """The step that the weights are of."""
        return self.weights.step

    @cached_property
    def model(self) -> "LanguageModel":
        """The network as torch's modules, on its device, ready to judge.

        Raises:
            UsageError: there is no such device.
        """
        from textgen.model.build import build_model
        from textgen.model.device import choose_device
        from textgen.runs.checkpoint import fill

        model = build_model(len(self.vocab), self.run.settings.model)
        fill(model, self.weights.network, self.run.folder)
        return model.to(choose_device(self.device)).eval()

    @cached_property
    def counts(self) -> "Counts | None":
        """The counts with their gate as a module, on the model's device."""
        from textgen.counts.product import Counts, Product
        from textgen.runs.checkpoint import fill

        if self.learned is None:
            return None
        product = Product(self.model.num_features, self.learned.form)
        fill(product, self.weights.gate, self.run.folder)
        return Counts(self.learned, product.to(self.model.device))


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
        name: as for ``find_to_write``.
        checkpoints: the folder in which the runs are.
        device: where ``model`` will compute: cpu, cuda, mps, or auto.

    Raises:
        TextgenError: there is no such run, it has no checkpoint yet, or its files do not belong
            together.
    """
    run = find_to_write(Path(checkpoints), None if name is None else str(name))
    weights = read_best(run)
    return Trained(run, weights, _learned(run), device)


def read_best(run: Run) -> Weights:
    """Return a run's best weights; where those are damaged, or there are none, the last ones."""
    if run.best.exists():
        try:
            return read_weights(run.best, run.vocab, run.settings.model)
        except DamagedError as error:
            if not run.last.exists():
                raise
            last = read_weights(run.last, run.vocab, run.settings.model)
            log.warning("%s; its last weights are taken instead", error)
            return last
    return read_weights(run.last, run.vocab, run.settings.model)


def find_to_write(root: Path, name: str | None = None) -> Run:
    """Return a run, or the model in the box where that is asked for or there is none yet.

    Args:
        root: the folder in which the runs are.
        name: as for ``find_folder``; when not given, the newest run that has a checkpoint.

    Raises:
        TextgenError: there is no such run.
    """
    if name is None:
        if checkpoints := newest_checkpoints(root):
            return Run(checkpoints[-1].parent)
        log.info("No run in %s yet: this is the model that comes with textgen, of 三国演义", root)
        return Run(base.FOLDER)
    if name == base.NAME and not any((folder / name).is_dir() for folder in (root, Path())):
        return Run(base.FOLDER)
    return find_run(root, name)


def _learned(run: Run) -> Learned | None:
    """Return what counting knows of a run's training text, if the run has anything of it left."""
    if not run.settings.model.counts:
        return None
    end = None if run.end is None else run.vocab[run.end]
    if run.counts.exists():
        return load_counts(run.counts, len(run.vocab), end)
    if (run.folder / "text.txt").exists():
        before, most = not run.skips, run.plan.counted
        earlier, tokens = map(
            run.vocab.encode, (run.earlier_text(), (run.end or "") + run.split()[0])
        )
        return Learned.of(tokens, len(run.vocab), most, as_before=before, earlier=earlier, end=end)
    log.warning(
        "%s has neither counts.safetensors nor text.txt: it goes on with its network alone, which "
        "writes worse",
        run.name,
    )
    return None
