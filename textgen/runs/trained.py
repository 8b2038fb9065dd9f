"""A trained model, as it comes out of a run folder."""

from dataclasses import dataclass
from pathlib import Path

from textgen.config import DEFAULT_CHECKPOINTS, GenerationConfig
from textgen.errors import UsageError
from textgen.evaluation import dynamic
from textgen.evaluation.copying import Copying, TrainingText
from textgen.evaluation.perplexity import Evaluation, evaluate_text, evaluate_trigram, predict_text
from textgen.model.language_model import LanguageModel, build_model, choose_device
from textgen.plots import heatmap
from textgen.runs.checkpoint import Run, find_run, load_weights
from textgen.text.reading import read_corpus
from textgen.text.vocab import Vocab
from textgen.writing.generation import generate

COPYING_SAMPLE = GenerationConfig(length=2000, seed=0)
"""The sample that tells how much a model copies."""


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
    text, before = _judged(trained, file, encoding)
    model = evaluate_text(trained.model, trained.vocab, text, before)
    return model, evaluate_trigram(trained.run.split()[0], text)


def evaluate_dynamically(
    trained: Trained, file: Path | str | None = None, encoding: str | None = None
) -> Evaluation:
    """Judge the model while a copy of it goes on learning from what is judged.

    It is the figure of a model that adapts, and not to be compared with those of ``evaluate``.

    Args:
        trained: what ``load`` returns; it stays as it is.
        file: a text, or a folder of texts; the run's own held-out part when not given.
        encoding: the file's encoding; found out when not given.

    Raises:
        TextgenError: as ``evaluate``.
    """
    text, before = _judged(trained, file, encoding)
    learned = trained.run.split()[0]
    return dynamic.evaluate_dynamically(trained.model, trained.vocab, text, learned, before)


def _judged(
    trained: Trained, file: Path | str | None, encoding: str | None = None
) -> tuple[str, str]:
    """Return the text to judge a model on, and the text before it."""
    training_text, held_out_text = trained.run.split()
    if file is not None:
        return read_corpus([Path(file)], encoding).text, ""
    if held_out_text:
        return held_out_text, training_text
    raise UsageError(f"{trained.run.name} held nothing out: give a FILE to judge it on")


def evaluate_copying(trained: Trained) -> tuple[Copying, Copying | None]:
    """Return what a sample of the model's copies from its training text; always the same sample.

    Returns:
        The sample's figures, and those of as many characters of the held-out part, if there is
        one: so much is copied by who has never seen the training text.

    Raises:
        TextgenError: the run has no ``text.txt`` any more.
    """
    training_text, held_out_text = trained.run.split()
    original = TrainingText(training_text)
    sample = "".join(generate(trained.model, trained.vocab, "\n", COPYING_SAMPLE))
    natural = held_out_text[: COPYING_SAMPLE.length]
    return original.copied_by(sample), original.copied_by(natural) if natural else None


def write_heatmap(
    trained: Trained, path: Path, file: Path | str | None = None, encoding: str | None = None
) -> int:
    """Write a page that shows how much each character of a text surprises the model.

    Args:
        trained: what ``load`` returns.
        path: the HTML file.
        file: a text, or a folder of texts; the run's own held-out part when not given.
        encoding: the file's encoding; found out when not given.

    Returns:
        How many characters at the text's end are left out, because a page holds no more.

    Raises:
        TextgenError: as ``evaluate``; or the page cannot be written.
    """
    whole, before = _judged(trained, file, encoding)
    text = whole[: heatmap.MAX_CHARACTERS]
    predictions = predict_text(trained.model, trained.vocab, text, before)
    title = f"{trained.run.name}: {Path(file).name if file else 'the held-out part'}"
    heatmap.write_heatmap(path, title, trained.vocab, trained.vocab.split(text), predictions)
    return len(whole) - len(text)
