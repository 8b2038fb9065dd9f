"""A trained model, judged."""

from pathlib import Path

from textgen.config import GenerationConfig
from textgen.errors import UsageError
from textgen.evaluation import dynamic
from textgen.evaluation.copying import Copying, TrainingText
from textgen.evaluation.perplexity import Evaluation, evaluate_text, evaluate_trigram
from textgen.runs.trained import Trained
from textgen.text.reading import read_corpus
from textgen.writing.generation import generate

COPYING_SAMPLE = GenerationConfig(length=2000, seed=0)
"""The sample that tells how much a model copies."""


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
    text, before = text_to_judge(trained, file, encoding)
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
    text, before = text_to_judge(trained, file, encoding)
    learned = trained.run.split()[0]
    return dynamic.evaluate_dynamically(trained.model, trained.vocab, text, learned, before)


def text_to_judge(
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
