"""A training under way: the loop, evaluating, saving."""

import logging
import math
import shlex
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

import torch

from textgen.bars import progress_bar
from textgen.config import GenerationConfig, Settings
from textgen.errors import Interrupted, TextgenError
from textgen.evaluation.mixture import Figures, evaluate_text
from textgen.evaluation.perplexity import Passage
from textgen.evaluation.sample import Sample
from textgen.interrupts import StopRequest, stop_requests
from textgen.model.precision import choose_dtype
from textgen.runs.checkpoint import load_training, load_weights, save_checkpoint
from textgen.runs.folder import Mirror, Run
from textgen.runs.progress import Plan, Position, Progress
from textgen.runs.record import Entry
from textgen.runs.weights import DamagedError
from textgen.training.loop import norm_of
from textgen.training.meter import Meter, require_finite
from textgen.training.plan import make_plan
from textgen.training.recovery import NotFiniteError, halved
from textgen.training.samples import decoder_of
from textgen.training.setup import Material, set_up
from textgen.writing.generation import continuation

if TYPE_CHECKING:
    from tqdm import tqdm

log = logging.getLogger(__name__)

_REPORTS = 200
"""Lines in a record, about."""

_SAVE_SECONDS = 60.0
"""Seconds of training that a power cut may cost."""

_FIRST_SAVE_SECONDS = 10.0
"""The same before there is a checkpoint at all."""

_EVALUATING_SECONDS = 5.0
"""The same where an evaluation comes next, which may take long itself."""

_SAMPLE = GenerationConfig(length=60, seed=0)
_CONTINUED = GenerationConfig(length=30, temperature=0)
"""How the prefixes are continued that the settings name: as in the source document."""


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


class _StopAsked(Exception):
    """Somebody asked to stop while a text was judged."""


class Session:
    """A model, its data and its optimiser, at some position in a training.

    Raises:
        TextgenError: the text is too short, or the device or the precision is not to be had.
    """

    def __init__(self, settings: Settings, material: Material) -> None:
        self.settings = settings
        self.config = settings.training
        self.material = material
        self.learner = set_up(settings, material)
        self.model, self.batches = self.learner.model, self.learner.batches
        # Asked for now: what cannot be had is refused before anything is written.
        dtype = choose_dtype(self.config.precision, self.model.parameters())
        self.dtype = str(dtype).removeprefix("torch.")
        self.position = Position()
        self.progress = Progress()
        self.pending: Entry | None = None
        self._saved = time.monotonic()

    def load(self, run: Run) -> None:
        """Take weights, optimiser and position from the run's last checkpoint."""
        self.position, self.progress, self.pending = load_training(
            run.last, vocab=self.material.vocab, **self.learner.parts()
        )
        if not run.last.exists():
            log.info("%s has no checkpoint yet: it begins anew", run.name)
        old, new = run.settings.training, self.config
        if any(
            getattr(old, name) != getattr(new, name)
            for name in ("batches", "rows", "num_steps", "seed")
        ):
            # The old position is none in the new batches: on to the next epoch.
            self.position = Position(self.position.step, self.position.epoch + 1)
        elif self.position.state is not None and self.batches.carries_state:
            expected = self.model.begin_state(new.rows)
            if [p.shape for p in self.position.state] != [p.shape for p in expected]:
                raise DamagedError(f"{run.last} is damaged: the state in it is of other batches")

    def ran_stale(self) -> bool:
        """Return whether the held-out loss has stopped falling."""
        return 0 < self.config.patience <= self.progress.stale

    def is_judged(self, run: Run) -> bool:
        """Return whether the record ends with how the best weights judge the held-out part."""
        entries = run.record.read()
        judges = self.material.held_out is not None and run.best.exists() and entries
        return not judges or "best_step" in entries[-1]

    def plan(self) -> Plan:
        """Turn epochs and minutes into steps; see ``make_plan``."""
        return make_plan(self.settings, self.material, self.learner)

    def run(self, run: Run, mirror: Mirror) -> Result:
        """Train until the run's last step, an early stop or a request to stop.

        Raises:
            Interrupted: somebody asked to stop; everything is saved.
            TextgenError: the loss is not finite, or the disk is full.
        """
        with stop_requests() as stop:  # first of all: from here on a signal must lose nothing
            meter = self._meter(run)
            tokens_per_step = self.config.rows * self.config.num_steps
            bar = progress_bar(
                run.plan.total_steps * tokens_per_step,
                f"{self.material.vocab.kind}s",
                done=self.position.step * tokens_per_step,
            )
            with mirror(run), bar:
                try:
                    meter = self._train_or_go_back(run, meter, stop, bar)
                except OSError as error:  # of its files none is: messages cannot be written
                    self._save_unheard(run)
                    raise TextgenError(
                        f"stopped and saved, since messages cannot be written ({error.strerror}); "
                        f"go on with: textgen train --resume {shlex.quote(run.name)}"
                    ) from None
            passage = self.material.held_out
            held_out = self._judge_best(run, passage, stop) if passage is not None else None
        return Result(
            run,
            meter.tokens,
            meter.tokens / max(meter.seconds, 1e-9),
            next(e["perplexity"] for e in reversed(run.record.read()) if "perplexity" in e),
            str(self.model.output.weight.device),
            held_out,
        )

    def _save_unheard(self, run: Run) -> None:
        """Save where a message could not be written, unless an evaluation has not been recorded.

        Then the last checkpoint stands, and what came after it is done again.
        """
        entries = run.record.read()
        if entries and entries[-1]["step"] == self.position.step:
            self._save(run)

    def _train_or_go_back(
        self, run: Run, meter: Meter, stop: StopRequest, bar: "tqdm[NoReturn]"
    ) -> Meter:
        """Train; where that comes to no number, once more from the last good checkpoint."""
        while True:
            try:
                self._train(run, meter, stop, bar)
            except NotFiniteError as error:
                meter = self._go_back(run, error)
            else:
                return meter

    def _go_back(self, run: Run, error: NotFiniteError) -> Meter:
        """Return to the last good checkpoint, and learn more slowly from there.

        Raises:
            TextgenError: there is none, or that was done before.
        """
        self.settings = halved(run, self.settings, error)
        self.config = self.settings.training
        self.learner = replace(self.learner, settings=self.settings)
        self.load(run)
        return self._meter(run)

    def _meter(self, run: Run) -> Meter:
        """Drop what was recorded after this position; return a meter that counts on from there."""
        # Who begins anew says again, too, what there was before the first step.
        step = self.position.step - (self.pending is not None)  # whose entry is told again
        run.record.forget_after(step or -1)
        entries = run.record.read()
        return Meter(entries[-1]["tokens"], entries[-1]["seconds"]) if entries else Meter()

    def _train(self, run: Run, meter: Meter, stop: StopRequest, bar: "tqdm[NoReturn]") -> None:
        total_steps, evaluate_every = run.plan.total_steps, run.plan.evaluate_every
        report_every = max(1, total_steps // _REPORTS)
        self._begin(run, meter, stop, bar)
        if self.ran_stale():  # it was complete, and only the best weights are still to be judged
            return
        meter.start()
        for step in self.learner.steps(total_steps, self.position):
            self.position = step.position
            meter.add(step)
            bar.update(step.tokens)
            done = step.position.step
            evaluate = done % evaluate_every == 0 or done == total_steps
            save = evaluate or stop.asked or time.monotonic() - self._saved > _SAVE_SECONDS
            if not save and done % report_every != 0:
                continue
            entry = meter.read(step, self._epoch())
            entry["perplexity"] = perplexity_of(entry["loss"])
            if save:  # a step may leave weights that only the next step's loss would tell of
                norm = float(norm_of(p.detach() for p in self.model.parameters()))
                require_finite("norm of the weights", norm, done)
            if evaluate:
                entry = self._evaluated(run, entry, stop)
            if self._ends_with(entry, run, stop, bar, save=save):
                return
            meter.start()

    def _ends_with(
        self, entry: Entry, run: Run, stop: StopRequest, bar: "tqdm[NoReturn]", *, save: bool = True
    ) -> bool:
        """Record an entry, save, and return whether the training is over before its last step.

        Raises:
            Interrupted: somebody asked to stop.
        """
        self._tell(run, bar, entry)
        if save:
            self._save(run)
        done, total_steps = self.position.step, run.plan.total_steps
        if stop.asked and done < total_steps:
            raise Interrupted(
                f"stopped after {done:,} of {total_steps:,} steps, everything is saved; "
                f"go on with: textgen train --resume {shlex.quote(run.name)}"
            )
        if self.ran_stale():
            log.info(
                "Stopped early: the held-out part got no better in %d evaluations",
                self.progress.stale,
            )
        return self.ran_stale()

    def _begin(self, run: Run, meter: Meter, stop: StopRequest, bar: "tqdm[NoReturn]") -> None:
        """Record what comes before the next step, if anything does."""
        if self.pending is not None:
            entry, self.pending = self.pending, None
            self._ends_with(self._evaluated(run, entry, stop), run, stop, bar)
            meter.tokens, meter.seconds = entry["tokens"], entry["seconds"]
        elif self.config.prefix and self.position.step == 0:
            self._tell(run, bar, self._before())
        if not run.last.exists():
            self._saved = time.monotonic() - _SAVE_SECONDS + _FIRST_SAVE_SECONDS

    def _evaluated(self, run: Run, entry: Entry, stop: StopRequest) -> Entry:
        """Return the entry of the record with an evaluation; no step is lost in one that is long.

        Until it is done, a checkpoint keeps the entry beside the weights: a resume makes up the
        evaluation that a kill, or somebody who asked to stop, cut short.

        Raises:
            Interrupted: somebody asked to stop meanwhile.
        """
        if time.monotonic() - self._saved > _EVALUATING_SECONDS:
            self._save(run, pending=entry)
        try:
            return {**entry, **self._evaluation(run, stop)}
        except _StopAsked:
            self._save(run, pending=entry)
            raise Interrupted(
                f"stopped after {self.position.step:,} of {run.plan.total_steps:,} steps, "
                "everything is saved; "
                f"go on with: textgen train --resume {shlex.quote(run.name)}"
            ) from None

    def _tell(self, run: Run, bar: "tqdm[NoReturn]", entry: Entry) -> None:
        """Record an entry; show it on the bar, and what an evaluation found in lines above it."""
        run.record.append(entry)
        loss, perplexity = entry["loss"], entry["perplexity"]
        bar.set_postfix_str(f"loss {loss:.3f}, perplexity {perplexity:.1f}", refresh=False)
        if "sample" not in entry:
            return
        line = f"epoch {entry['epoch']:.2f}: perplexity {perplexity:.1f}"
        if "held_out_perplexity" in entry:
            bits = entry["held_out_bits_per_character"]
            line += f", held out {entry['held_out_perplexity']:.1f} ({bits:.3f} bits per character)"
        log.info("%s", line)
        # A text of the model's own is one line; of each prefix there is one.
        log.info("  %s", entry["sample"].replace("\n", "\n  " if self.config.prefix else " "))

    def _save(self, run: Run, pending: Entry | None = None) -> None:
        run.record.sync()
        save_checkpoint(
            run.last,
            position=self.position,
            progress=self.progress,
            vocab=self.material.vocab,
            **self.learner.parts(),
            pending=pending,
        )
        self._saved = time.monotonic()

    def _epoch(self) -> float:
        """Return the number of epochs done, with the part of the last one."""
        position = self.position
        return position.epoch + position.batch / self.batches.num_batches(position.epoch)

    @torch.no_grad()
    def _before(self) -> Entry:
        """Return what the model makes of the first batch, and writes, before it has learned."""
        self.model.eval()
        loss, _ = self.learner.trainable.loss(*next(self.batches.epoch(0)), None)
        return {
            "step": 0,
            "epoch": 0.0,
            "tokens": 0,
            "seconds": 0.0,
            "loss": float(loss),
            "perplexity": perplexity_of(float(loss)),
            "sample": self._sample(),
        }

    def _evaluation(self, run: Run, stop: StopRequest) -> Entry:
        """Judge the held-out part, keep the weights if they are the best, write a sample."""
        passage = self.material.held_out
        if passage is None:
            return {"sample": self._sample()}
        held_out = self._judge(passage, self.material.on_the_way, stop)
        bits = held_out.model.bits_per_character
        require_finite("held-out loss", bits, self.position.step)
        self.progress.stale += 1
        if self.progress.best_bits is None or bits < self.progress.best_bits:
            self.progress = Progress(bits, 0)
            save_checkpoint(
                run.best,
                self.model,
                self.position,
                self.progress,
                vocab=self.material.vocab,
                gate=self.learner.parts()["gate"],
            )
        return {
            **held_out_entry(held_out),
            "sample": self._sample(),
        }

    def _sample(self) -> str:
        """Return what the model writes now: of each prefix a line, or a text of its own."""
        decoder = decoder_of(self.model, self.material.vocab, self.learner.counts)

        def written(prefix: str, config: GenerationConfig) -> str:
            return "".join(continuation(decoder, prefix, config))

        lines = [prefix + written(prefix, _CONTINUED) for prefix in self.config.prefix]
        return "\n".join(line.replace("\n", " ") for line in lines) or written("\n", _SAMPLE)

    def _judge(
        self,
        passage: Passage,
        sample: Sample,
        stop: StopRequest,
        bar: "tqdm[NoReturn] | None" = None,
    ) -> Figures:
        """Judge a sample of the held-out part.

        Raises:
            _StopAsked: somebody asked to stop meanwhile.
        """

        def watch(judged: int) -> None:
            if stop.asked:
                raise _StopAsked
            if bar is not None:
                bar.update(judged)

        counts = self.learner.counts
        heard = None if counts is None else self.material.heard
        return evaluate_text(self.model, passage, counts, sample, heard, watch)

    def _judge_best(self, run: Run, passage: Passage, stop: StopRequest) -> Figures:
        """Judge the held-out part with the best weights, and record that.

        Raises:
            Interrupted: somebody asked to stop; only this figure is missing.
        """
        gate = self.learner.parts()["gate"]
        try:
            step = load_weights(run.best, self.model, self.material.vocab, gate)
        except DamagedError as error:
            log.warning("%s; the last weights are judged instead", error)
            step = load_weights(run.last, self.model, self.material.vocab, gate)
        sample = self.material.at_the_end
        kinds = f"{self.material.vocab.kind}s"
        bar = progress_bar(len(sample.places), kinds, "judging the held-out part", delay=2.0)
        try:
            with bar:
                held_out = self._judge(passage, sample, stop, bar)
        except _StopAsked:
            raise Interrupted(
                "stopped; the training is complete and saved, and is judged at its end with: "
                f"textgen train --resume {shlex.quote(run.name)}"
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
        if held_out.static is not None:
            entry["best_network_bits_per_character"] = held_out.network.bits_per_character
            entry["best_static_bits_per_character"] = held_out.static.bits_per_character
        run.record.append(entry)
        return held_out


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
