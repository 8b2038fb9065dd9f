"""How a network that is being trained is judged, on the way and at its end, and what it writes."""

import contextlib
import logging
import math
import shlex
from typing import TYPE_CHECKING, NoReturn

import torch

from textgen.bars import progress_bar
from textgen.errors import Interrupted
from textgen.evaluation.mixture import Figures, evaluate_text
from textgen.evaluation.perplexity import Passage
from textgen.evaluation.sample import ROWS, Sample
from textgen.interrupts import StopRequest
from textgen.language import _
from textgen.runs.checkpoint import load_weights
from textgen.runs.folder import Run
from textgen.runs.record import Entry
from textgen.runs.weights import DamagedError
from textgen.training.clock import Clock
from textgen.training.samples import decoder_of, sample_of
from textgen.training.setup import Learner, Material

if TYPE_CHECKING:
    from tqdm import tqdm

log = logging.getLogger(__name__)

_GLANCE_JUDGES = 1.0
"""Seconds that judging may take for a glance: where an evaluation takes longer, less is judged."""

_FEW = 1000
"""Tokens judged for a glance where it is not known how long they take."""


class StopAsked(Exception):
    """Somebody asked to stop while a text was judged."""


class Judge:
    """Judges a network while it is trained, and has it write.

    Args:
        learner: whose network it is, as it is at the time.
        material: what it is judged on.
        clock: is read after every piece that is judged.
    """

    def __init__(self, learner: Learner, material: Material, clock: Clock) -> None:
        self.learner, self.material, self.clock = learner, material, clock
        self._took: float | None = None
        """Seconds of the last evaluation."""

    @torch.no_grad()
    def before(self) -> Entry:
        """Return what the model makes of the first batch, and writes, before it has learned."""
        self.learner.model.eval()
        loss, _ = self.learner.trainable.loss(*next(self.learner.batches.epoch(0)), None)
        return {
            "step": 0,
            "epoch": 0.0,
            "tokens": 0,
            "seconds": 0.0,
            "loss": float(loss),
            "perplexity": perplexity_of(float(loss)),
            "sample": self.sample(),
        }

    def on_the_way(self, passage: Passage, stop: StopRequest) -> Figures:
        """Judge the held-out part at an evaluation.

        Raises:
            StopAsked: somebody asked to stop meanwhile.
        """
        began = self.clock.read()
        held_out = self._judge(passage, self.material.on_the_way, stop)
        self._took = self.clock.read() - began
        return held_out

    def glance(self, stop: StopRequest) -> Entry:
        """Return what the network writes, and how it judges some of the held-out part."""
        entry: Entry = {"sample": self.sample()}
        if (passage := self.material.held_out) is not None:
            with contextlib.suppress(StopAsked):  # the next step ends it
                found = self._judge(passage, self._glanced_at(passage), stop)
                if math.isfinite(found.model.bits_per_character):  # else the next line tells
                    entry |= held_out_entry(found)
        return entry

    def best(self, run: Run, passage: Passage, stop: StopRequest) -> Figures:
        """Judge the held-out part with the best weights, and record that.

        Raises:
            Interrupted: somebody asked to stop; only this figure is missing.
        """
        gate = self.learner.parts()["gate"]
        try:
            step = load_weights(run.best, self.learner.model, self.material.vocab, gate)
        except DamagedError as error:
            log.warning("%s; the last weights are judged instead", error)
            step = load_weights(run.last, self.learner.model, self.material.vocab, gate)
        sample = self.material.at_the_end
        what, units = _("judging the held-out part"), self.material.vocab.units
        bar = progress_bar(len(sample.places), units, what, delay=2.0)
        try:
            with bar:
                held_out = self._judge(passage, sample, stop, bar)
        except StopAsked:
            raise Interrupted(
                "stopped; the training is complete and saved, and is judged at its end with: "
                "textgen train --resume {name}",
                name=shlex.quote(run.name),
            ) from None
        last = run.record.read()[-1]
        entry: Entry = {
            "step": last["step"],
            "epoch": last["epoch"],
            "tokens": last["tokens"],
            "seconds": last["seconds"],
            "best_step": step,
            "best_held_out_perplexity": held_out.model.perplexity,
            "best_held_out_bits_per_character": held_out.model.bits_per_character,
            "best_held_out_tokens": held_out.model.tokens,
        }
        if "spent" in last:
            entry["spent"] = last["spent"]
        if held_out.static is not None:
            entry["best_network_bits_per_character"] = held_out.network.bits_per_character
            entry["best_static_bits_per_character"] = held_out.static.bits_per_character
        run.record.append(entry)
        return held_out

    def sample(self) -> str:
        """Return what the network writes now."""
        model, counts = self.learner.model, self.learner.counts
        decoder = decoder_of(model, self.material.vocab, counts, self.material.end)
        return sample_of(decoder, self.learner.settings.training.prefix)

    def _glanced_at(self, passage: Passage) -> Sample:
        """Return what of the held-out part is judged at a glance: as at an evaluation, or less."""
        usual, takes = self.material.on_the_way, self._took
        if takes is not None and takes <= _GLANCE_JUDGES:
            return usual
        most = _FEW if takes is None else int(self.material.judged * _GLANCE_JUDGES / takes)
        return Sample.of(passage.count, ROWS, max(ROWS, min(_FEW, most)))

    def _judge(
        self,
        passage: Passage,
        sample: Sample,
        stop: StopRequest,
        bar: "tqdm[NoReturn] | None" = None,
    ) -> Figures:
        """Judge a sample of the held-out part.

        Raises:
            StopAsked: somebody asked to stop meanwhile.
        """

        def watch(judged: int) -> None:
            self.clock.read()
            if stop.asked:
                raise StopAsked
            if bar is not None:
                bar.update(judged)

        counts = self.learner.counts
        heard = None if counts is None else self.material.heard
        return evaluate_text(self.learner.model, passage, counts, sample, heard, watch)


def held_out_entry(figures: Figures) -> Entry:
    """Return the figures of the held-out part as a record has them."""
    entry: Entry = {
        "held_out_perplexity": figures.model.perplexity,
        "held_out_bits_per_character": figures.model.bits_per_character,
        "held_out_tokens": figures.model.tokens,
    }
    if figures.static is not None:
        entry["network_bits_per_character"] = figures.network.bits_per_character
        entry["static_bits_per_character"] = figures.static.bits_per_character
    return entry


def perplexity_of(loss: float) -> float:
    """Return exp of a mean loss in nats; never infinite, which JSON has no word for."""
    return math.exp(min(loss, 700.0))
