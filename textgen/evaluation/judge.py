"""A trained model, judged: on its held-out part or on another text, and for what it copies."""

import logging
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from textgen.bars import heard, progress_bar
from textgen.config import Errors, GenerationConfig
from textgen.errors import TextgenError, UsageError
from textgen.evaluation import dynamic
from textgen.evaluation.copying import Copying, TrainingText
from textgen.evaluation.mixture import Figures, evaluate_text
from textgen.evaluation.overlap import Overlap
from textgen.evaluation.parts import Parts
from textgen.evaluation.perplexity import Evaluation, Passage
from textgen.evaluation.predictions import Predictions, predict_text
from textgen.evaluation.stored import held_out_pieces
from textgen.evaluation.yardsticks import Yardsticks, count_yardsticks
from textgen.language import _
from textgen.reading.corpus import read_corpus
from textgen.runs.trained import Trained, as_trained
from textgen.writing.decoder import Decoder
from textgen.writing.generation import written

log = logging.getLogger(__name__)

COPYING_SAMPLE = GenerationConfig(length=2000, seed=0)
"""The sample that tells how much a model copies."""


@heard()
def evaluate(
    trained: Trained | Path | str, file: Path | str | None = None, encoding: str | None = None
) -> tuple[Evaluation, Evaluation]:
    """Judge the model, and beside it the trigram learned from the same text.

    A text that the model has seen, or a run whose text is another one now, is warned of.

    Args:
        trained: what ``load`` returns, or the name or the folder of a run.
        file: a text, or a folder of texts; the run's own held-out part when not given.
        encoding: the file's encoding; found out when not given.

    Returns:
        The figures of the model, and those of the trigram.

    Raises:
        TextgenError: the file cannot be read; or none is given, and nothing was held out.
    """
    judged = Judged(as_trained(trained), file, encoding)
    for remark in judged.remarks():
        log.warning("%s", remark)
    return judged.figures().model, judged.yardsticks().trigram


class Judged:
    """A trained model and a text to judge it on; both texts are read once.

    Of a store's held-out part the model is judged on all, from the disk, and what else there is to
    tell is of a sample.

    Where the run's ``text.txt`` is another text now, its two parts are those of that one, and
    ``changed`` says so.

    Args:
        trained: what ``load`` returns; it stays as it is.
        file: a text, or a folder of texts; the run's own held-out part when not given.
        encoding: the file's encoding; found out when not given.
        errors: what to do about places that do not fit it.

    Raises:
        TextgenError: the file cannot be read; none is given, and nothing was held out; or the run
            has no ``text.txt``, or no store, any more that can be read.
    """

    def __init__(
        self,
        trained: Trained,
        file: Path | str | None = None,
        encoding: str | None = None,
        errors: Errors = "mend",
    ) -> None:
        self.trained = trained
        config = trained.run.settings.corpus
        self._parts = Parts.of(trained.run)
        self.changed = self._parts.changed
        self.training_text, self.held_out_text = self._parts.training, self._parts.held_out
        self._store = self._parts.store if file is None else None
        self.name = (
            _("the held-out part of the changed text.txt")
            if self.changed
            else _("the held-out part")
        )
        if file is not None:
            self.name = Path(file).name or str(file)
            # Otherwise as the run's own text was read.
            reading = replace(trained.run.settings.reading, encoding=encoding, errors=errors)
            corpus = read_corpus([Path(file)], reading)
            for line in corpus.oddities():
                log.info("%s", line)
            self.text, self.before = corpus.text_of(config.items), ""
        elif self.held_out_text:
            self.text, self.before = self.held_out_text, self.training_text
        elif config.held_out and self.changed:
            raise TextgenError(
                "{changed}, and too short to judge: put that back", changed=self.changed
            )
        else:
            raise UsageError(
                "{name} held nothing out: give a FILE to judge it on", name=trained.run.name
            )

    @cached_property
    def passage(self) -> Passage:
        """The text as the model's vocabulary reads it."""
        return Passage.of(self.trained.vocab, self.text, self.before, self.trained.run.end)

    @cached_property
    def overlap(self) -> Overlap:
        """How much of the text the model has seen."""
        return Overlap.of(self.training_text, self.text)

    def remarks(self) -> list[str]:
        """Return the lines without which no figure of the text may be shown."""
        changed = _(
            "{changed}: the held-out part, Kneser-Ney, the trigram and what is copied are those of "
            "the text that is there now"
        ).format(changed=self.changed)
        known = self.overlap.remarks(self.name)
        return [*[changed] * bool(self.changed), *known, *self._parts.remarks()]

    def figures(self) -> Figures:
        """Return the model's figures, with a bar where that takes long."""
        trained, store = self.trained, self._store
        count = self.passage.count if store is None else len(store.held_out)
        passages = [self.passage] if store is None else held_out_pieces(store)
        with progress_bar(count, trained.vocab.units, _("judging"), delay=2.0) as bar:
            return Figures.together(
                [
                    evaluate_text(trained.model, passage, trained.counts, watch=bar.update)
                    for passage in passages
                ]
            )

    def yardsticks(self) -> Yardsticks:
        """Return what counts of the same training text come to."""
        run = self.trained.run
        return count_yardsticks(self.training_text, self.text, run.plan.counted, end=run.end)

    def adapting(self) -> Evaluation:
        """Return the figures of a copy of the model that goes on learning from what is judged.

        They are those of a model that adapts, and not to be compared with the others.
        """
        trained = self.trained
        return dynamic.evaluate_dynamically(
            trained.model,
            trained.vocab,
            self.passage,
            self.training_text,
            counts=trained.counts,
        )

    def predictions(self, most: int) -> tuple[list[str], Predictions]:
        """Return the tokens of the first so many characters, and what the model expected there."""
        trained = self.trained
        text = self.text[:most]
        whole = len(text) == len(self.text)
        end = trained.run.end
        passage = self.passage if whole else Passage.of(trained.vocab, text, self.before, end)
        predictions = predict_text(trained.model, passage, counts=trained.counts)
        return trained.vocab.split(text), predictions

    def copying(self) -> tuple[Copying, Copying | None]:
        """Return what a sample of the model's copies from its training text; always the same one.

        Returns:
            The sample's figures, and those of as many characters of the held-out part, if there
            is one: so much is copied by who has never seen the training text.
        """
        original = TrainingText(self.training_text)
        trained = self.trained
        sample = written(Decoder.of(trained), COPYING_SAMPLE)
        natural = self.held_out_text[: COPYING_SAMPLE.length]
        return original.copied_by(sample), original.copied_by(natural) if natural else None
