"""A trained model, as it comes out of a run folder."""

from dataclasses import dataclass
from pathlib import Path

from textgen.checkpoint import Run, find_run, load_weights
from textgen.config import DEFAULT_CHECKPOINTS
from textgen.corpus import read_corpus
from textgen.errors import UsageError
from textgen.evaluation import Evaluation, evaluate_text, evaluate_trigram
from textgen.models import LanguageModel, build_model, choose_device
from textgen.vocab import Vocab


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


def evaluate(
    trained: Trained, file: Path | str | None = None, encoding: str | None = None
) -> tuple[Evaluation, Evaluation]:
    """Judge the model, and beside it the trigram learned from the same text.

    Args:
        trained: what ``load`` returns.
        file: a text, or a folder of texts; the run's own held-out part when not given.
        encoding: the file's encoding; found out when not given.

    Returns:
        The figures of the model, and those of the trigram.

    Raises:
        TextgenError: the file cannot be read; or none is given, and nothing was held out.
    """
    training_text, held_out_text = trained.run.split()
    if file is not None:
        text = read_corpus([Path(file)], encoding).text
        model = evaluate_text(trained.model, trained.vocab, text)
    elif held_out_text:
        text = held_out_text
        model = evaluate_text(trained.model, trained.vocab, text, before=training_text)
    else:
        raise UsageError(f"{trained.run.name} held nothing out: give a FILE to judge it on")
    return model, evaluate_trigram(training_text, text)
