"""A training under way: the loop, evaluating, saving."""

import contextlib
import logging
import math
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, cast

import torch

from textgen.bars import progress_bar, set_total
from textgen.config import GenerationConfig, Settings
from textgen.errors import Interrupted, TextgenError, os_reason
from textgen.evaluation.mixture import Figures, evaluate_text
from textgen.evaluation.perplexity import Passage
from textgen.evaluation.sample import ROWS, Sample
from textgen.interrupts import StopRequest, stop_requests
from textgen.language import Message, _
from textgen.model.precision import choose_dtype
from textgen.runs.checkpoint import load_training, load_weights, save_checkpoint
from textgen.runs.folder import Mirror, Run
from textgen.runs.progress import Plan, Position, Progress
from textgen.runs.record import Entry
from textgen.runs.weights import DamagedError, read
from textgen.training.agenda import Agenda, Due, agenda_of, spent_after
from textgen.training.clock import Clock
from textgen.training.loop import Step, norm_of
from textgen.training.meter import Meter, require_finite
from textgen.training.moment import Moment, OnStep, figures_of
from textgen.training.plan import make_plan
from textgen.training.recovery import NotFiniteError, halved
from textgen.training.result import Result
from textgen.training.samples import decoder_of
from textgen.training.setup import Material, set_up
from textgen.writing.generation import continuation

if TYPE_CHECKING:
    from tqdm import tqdm

log = logging.getLogger(__name__)

_SAVE_SECONDS = 60.0
"""Seconds of training that a power cut may cost."""

_FIRST_SAVE_SECONDS = 10.0
"""The same before there is a checkpoint at all."""

_EVALUATING_SECONDS = 5.0
"""The same where an evaluation comes next, which may take long itself."""

_GLANCE_SECONDS = 18.0
"""Seconds after which there is something to see again, evaluations or not."""

_FIRST_GLANCE_SECONDS = 8.0
"""The same at the beginning."""

_GLANCE_JUDGES = 1.0
"""Seconds that judging may take for a glance: where an evaluation takes longer, less is judged."""

_FEW = 1000
"""Tokens judged for a glance where it is not known how long they take."""

_SAMPLE = GenerationConfig(length=60, seed=0)
_CONTINUED = GenerationConfig(length=30, temperature=0)
"""How the prefixes are continued that the settings name: as in the source document."""


class _StopAsked(Exception):
    """Somebody asked to stop while a text was judged."""


class Session:
    """A model, its data and its optimiser, at some position in a training.

    Args:
        settings: all settings.
        material: the text.
        clock: what it goes by.
        on_step: is called after every step.

    Raises:
        TextgenError: the text is too short, or the device or the precision is not to be had.
    """

    def __init__(
        self,
        settings: Settings,
        material: Material,
        clock: Clock | None = None,
        on_step: OnStep | None = None,
    ) -> None:
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
        self.clock = clock or Clock()
        self.on_step = on_step
        self._raised: Exception | None = None
        self.agenda: Agenda = agenda_of(Plan(1, 1), [])
        self._judging: float | None = None
        self._saved = self._shown = self.clock.read()

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
                raise DamagedError(
                    "{path} is damaged: the state in it is of other batches", path=run.last
                )

    def ran_stale(self) -> bool:
        """Return whether the held-out loss has stopped falling."""
        return 0 < self.config.patience <= self.progress.stale

    def is_judged(self, run: Run) -> bool:
        """Return whether the record ends with how the best weights judge the held-out part."""
        entries = run.record.read()
        judges = self.material.held_out is not None and run.best.exists() and entries
        return not judges or "best_step" in entries[-1]

    def is_complete(self, run: Run) -> bool:
        """Return whether nothing is left to do of what the run was made for."""
        agenda = agenda_of(run.plan, [e for e in run.record.read() if e["step"] <= self.kept])
        done = self.position.step >= agenda.course.total_steps
        return (done or self.ran_stale()) and self.pending is None and self.is_judged(run)

    @property
    def kept(self) -> int:
        """Return the step up to which the record stands; what is pending is told again."""
        return self.position.step - (self.pending is not None) or -1

    def plan(self) -> Plan:
        """Turn epochs and minutes into steps; see ``make_plan``."""
        return make_plan(self.settings, self.material, self.learner)

    def run(self, run: Run, mirror: Mirror, followed: Sequence[Entry] = ()) -> Result:
        """Train until the run's last step, an early stop or a request to stop.

        Args:
            run: the run.
            mirror: what shows the record elsewhere meanwhile.
            followed: the record of a run that is repeated, where this one has none yet.

        Raises:
            Interrupted: somebody asked to stop: everything is saved; or twice: what is not is told.
            TextgenError: the loss is not finite, or the disk is full.
        """
        try:
            return self._run(run, mirror, followed)
        except KeyboardInterrupt:
            raise self._given_up(run) from None

    def _run(self, run: Run, mirror: Mirror, followed: Sequence[Entry]) -> Result:
        with stop_requests() as stop:  # first of all: from here on a signal must lose nothing
            meter = self._take_up(run, run.record.read() or followed)
            tokens_per_step = self.config.rows * self.config.num_steps
            bar = progress_bar(
                self.agenda.course.total_steps * tokens_per_step,
                self.material.vocab.units,
                done=self.position.step * tokens_per_step,
            )
            with mirror(run), bar:
                try:
                    meter = self._train_or_go_back(run, meter, stop, bar)
                except OSError as error:  # of its files none is: messages cannot be written
                    if error is self._raised:
                        raise
                    self._save_unheard(run)
                    raise TextgenError(
                        "stopped and saved, since messages cannot be written ({reason}); "
                        "go on with: textgen train --resume {name}",
                        reason=os_reason(error),
                        name=shlex.quote(run.name),
                    ) from None
            if self.agenda.course.total_steps != run.plan.total_steps:
                plan = replace(run.plan, total_steps=self.agenda.course.total_steps)
                run.update(run.settings, plan)
            spent, passage = self.clock.read(), self.material.held_out
            held_out = self._judge_best(run, passage, stop) if passage is not None else None
            if run.plan.budget is not None:
                self._tell_budget(run, spent)
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

    def _take_up(self, run: Run, followed: Sequence[Entry] = ()) -> Meter:
        """Forget what was recorded after the last checkpoint, and go on from there.

        Args:
            run: the run.
            followed: a record in which it stands what is planned from here on, as far as it goes.
        """
        known = [entry for entry in run.record.read() if entry["step"] <= self.kept]
        later = [entry for entry in followed if entry["step"] > self.kept]
        # Who begins anew says again, too, what there was before the first step.
        run.record.forget_after(self.kept)
        last = known[-1:]
        if self.pending is not None:
            known = [*known, self.pending | {"sample": ""}]  # it will have one
        self.agenda = agenda_of(run.plan, known, later)
        self.clock.start(spent_after(known))
        self._saved = self.clock.seconds
        self._shown = self._saved - _GLANCE_SECONDS + _FIRST_GLANCE_SECONDS
        if not last:
            return Meter(clock=self.clock)
        return Meter(last[0]["tokens"], last[0]["seconds"], self.clock)

    def _tell_budget(self, run: Run, spent: float) -> None:
        """Tell what was asked and what was spent, and why that is less."""
        plan, done = run.plan, self.position.step
        before = [entry for entry in run.record.read() if entry["step"] <= plan.first_step]
        gone = spent - spent_after(before)
        words = [
            _(
                "{budget:g} s asked, {gone:,.1f} s spent on {steps:,} steps, judging and saving"
            ).format(budget=plan.budget, gone=gone, steps=done - plan.first_step)
        ]
        if self.ran_stale():
            words.append(_("it stopped early"))
        elif done == plan.most:
            as_many = _("{epochs:.3g} epochs are as many as were to be")
            words.append(as_many.format(epochs=self._epoch()))
        ending = _("judging the end took {seconds:,.1f} s more")
        words.append(ending.format(seconds=self.clock.read() - spent))
        if self.clock.stopped:
            stopped = _("{seconds:,.0f} s of a process that was stopped do not count")
            words.append(stopped.format(seconds=self.clock.stopped))
        log.info("%s", _("; ").join(words))

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
        return self._take_up(run)

    def _train(self, run: Run, meter: Meter, stop: StopRequest, bar: "tqdm[NoReturn]") -> None:
        self._begin(run, meter, stop, bar)
        if self.ran_stale():  # it was complete, and only the best weights are still to be judged
            return
        meter.start()
        own: dict[str, float] = {}
        for step in self._steps():
            self.position = step.position
            meter.add(step)
            bar.update(step.tokens)
            due = self.agenda.after(step.position.step, meter.trained, self.clock.seconds)
            set_total(bar, self.agenda.course.total_steps * step.tokens)
            try:
                own |= self._own_figures(step)
            except Exception as error:
                self._raised = error
                with contextlib.suppress(NotFiniteError):  # then the last good checkpoint stands
                    self._save_where_it_is(run, self._entry(meter, step, own, save=True), due, bar)
                raise
            save = due.evaluation or stop.asked or self.clock.seconds - self._saved > _SAVE_SECONDS
            if save or due.line:
                entry = self._entry(meter, step, own, save=save)
                own = {}
                if due.evaluation:
                    entry = self._evaluated(run, entry, stop)
                if self._ends_with(entry, run, stop, bar, save=save):
                    return
                meter.start()
            if self.clock.seconds - self._shown > _GLANCE_SECONDS:
                with meter.paused():
                    self._glance(run, meter, stop, bar)

    def _own_figures(self, step: Step) -> dict[str, float]:
        """Tell of a step who asked for that, and return the figures that they have of it."""
        if self.on_step is None:
            return {}
        moment = Moment(
            step.position.step,
            self._epoch(),
            float(step.loss),
            float(step.gradient_norm),
            step.learning_rate,
            self.model,
        )
        return figures_of(self.on_step, moment)

    def _entry(self, meter: Meter, step: Step, own: dict[str, float], *, save: bool) -> Entry:
        """Return the entry of the record after a step.

        Raises:
            NotFiniteError: a figure of it is not finite, or where it is to be saved, a weight.
        """
        entry = cast(Entry, meter.read(step, self._epoch()) | own)
        entry["perplexity"] = perplexity_of(entry["loss"])
        entry |= self.agenda.noted(self.clock.seconds)
        if save:  # a step may leave weights that only the next step's loss would tell of
            norm = float(norm_of(p.detach() for p in self.model.parameters()))
            require_finite(Message("norm of the weights"), norm, step.position.step)
        return entry

    def _save_where_it_is(self, run: Run, entry: Entry, due: Due, bar: "tqdm[NoReturn]") -> None:
        """Record an entry and save; an evaluation that is due is made up when it is resumed."""
        if not due.evaluation:
            self._tell(run, bar, entry)
        self._save(run, pending=entry if due.evaluation else None)

    def _steps(self) -> Iterator[Step]:
        """Train to the end of the course, whatever becomes of that on the way."""
        while self.position.step < self.agenda.course.total_steps:
            course = self.agenda.course
            for step in self.learner.steps(course.total_steps, self.position, course.span):
                yield step
                if self.agenda.course != course:
                    break

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
        if stop.asked and self.position.step < self.agenda.course.total_steps:
            raise self._interrupted(run)
        if self.ran_stale():
            log.info(
                "Stopped early: the held-out part got no better in %d evaluations",
                self.progress.stale,
            )
        return self.ran_stale()

    def _interrupted(self, run: Run) -> Interrupted:
        done, total_steps = self.position.step, self.agenda.course.total_steps
        return Interrupted(
            "stopped after {done:,} of {total_steps:,} steps, everything is saved; "
            "go on with: textgen train --resume {name}",
            done=done,
            total_steps=total_steps,
            name=shlex.quote(run.name),
        )

    def _given_up(self, run: Run) -> Interrupted:
        """Return what to say where it was stopped at once, in the midst of whatever it did."""
        name, done = shlex.quote(run.name), self.position.step
        if not run.last.exists():
            return Interrupted(
                "stopped at once: {done:,} steps are given up, since there is no checkpoint yet; "
                "begin anew with: textgen train --resume {name}",
                done=done,
                name=name,
            )
        kept = read(run.last, "state.")[1]["step"]
        age = time.time() - run.last.stat().st_mtime
        return Interrupted(
            "stopped at once: {lost:,} of {done:,} steps are given up, and the checkpoint of "
            "{age:.0f} s ago is kept; go on with: textgen train --resume {name}",
            lost=done - kept,
            done=done,
            age=age,
            name=name,
        )

    def _begin(self, run: Run, meter: Meter, stop: StopRequest, bar: "tqdm[NoReturn]") -> None:
        """Record what comes before the next step, if anything does."""
        if self.pending is not None:
            entry, self.pending = self.pending, None
            self._ends_with(self._evaluated(run, entry, stop), run, stop, bar)
            meter.tokens, meter.seconds = entry["tokens"], entry["seconds"]
        elif self.config.prefix and self.position.step == 0:
            self._tell(run, bar, self._before())
        if not run.last.exists():
            self._saved = self.clock.read() - _SAVE_SECONDS + _FIRST_SAVE_SECONDS

    def _evaluated(self, run: Run, entry: Entry, stop: StopRequest) -> Entry:
        """Return the entry of the record with an evaluation; no step is lost in one that is long.

        Until it is done, a checkpoint keeps the entry beside the weights: a resume makes up the
        evaluation that a kill, or somebody who asked to stop, cut short.

        Raises:
            Interrupted: somebody asked to stop meanwhile.
        """
        if self.clock.read() - self._saved > _EVALUATING_SECONDS:
            self._save(run, pending=entry)
        try:
            entry = {**entry, **self._evaluation(run, stop)}
        except _StopAsked:
            self._save(run, pending=entry)
            raise self._interrupted(run) from None
        if "spent" in entry:
            entry["spent"] = round(self.clock.read(), 3)
        return entry

    def _tell(self, run: Run, bar: "tqdm[NoReturn]", entry: Entry) -> None:
        """Record an entry; show it on the bar, and what an evaluation found in lines above it."""
        run.record.append(entry)
        figures = []
        if "perplexity" in entry:
            loss, perplexity = entry["loss"], entry["perplexity"]
            shown = _("loss {loss:.3f}, perplexity {perplexity:.1f}")
            bar.set_postfix_str(shown.format(loss=loss, perplexity=perplexity), refresh=False)
            figures.append(_("perplexity {perplexity:.1f}").format(perplexity=perplexity))
        if "sample" not in entry:
            return
        self._shown = self.clock.read()
        if "held_out_perplexity" in entry:
            judged, count = entry["held_out_tokens"], self.material.at_the_end.count
            shown = (
                _(
                    "held out {perplexity:.1f} ({bits:.3f} bits per character) on {judged:,} of "
                    "{count:,} {units}"
                )
                if judged < count
                else _("held out {perplexity:.1f} ({bits:.3f} bits per character)")
            )
            figures.append(
                shown.format(
                    perplexity=entry["held_out_perplexity"],
                    bits=entry["held_out_bits_per_character"],
                    judged=judged,
                    count=count,
                    units=self.material.vocab.units,
                )
            )
        if figures:
            log.info("epoch %.2f: %s", entry["epoch"], _(", ").join(figures))
        else:
            log.info("epoch %.2f", entry["epoch"])
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
        self._saved = self.clock.read()

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
        began = self.clock.read()
        held_out = self._judge(passage, self.material.on_the_way, stop)
        self._judging = self.clock.read() - began
        bits = held_out.model.bits_per_character
        require_finite(Message("held-out loss"), bits, self.position.step)
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

    def _glance(self, run: Run, meter: Meter, stop: StopRequest, bar: "tqdm[NoReturn]") -> None:
        """Show who watches what the model writes, and how it judges some of the held-out part.

        Nothing follows from it: when there is one goes by the clock, and neither the weights that
        are kept nor an early stop may.
        """
        entry: Entry = {
            "step": self.position.step,
            "epoch": round(self._epoch(), 4),
            "tokens": meter.trained_on,
            "seconds": round(meter.trained, 3),
            "glance": True,
            "sample": self._sample(),
        }
        if "spent" in (noted := self.agenda.noted(self.clock.seconds)):
            entry["spent"] = noted["spent"]
        if (passage := self.material.held_out) is not None:
            with contextlib.suppress(_StopAsked):  # the next step ends it
                found = self._judge(passage, self._glanced_at(passage), stop)
                if math.isfinite(found.model.bits_per_character):  # else the next line tells
                    entry |= held_out_entry(found)
        self._tell(run, bar, entry)

    def _glanced_at(self, passage: Passage) -> Sample:
        """Return what of the held-out part is judged at a glance: as at an evaluation, or less."""
        usual, takes = self.material.on_the_way, self._judging
        if takes is not None and takes <= _GLANCE_JUDGES:
            return usual
        most = _FEW if takes is None else int(self.material.judged * _GLANCE_JUDGES / takes)
        return Sample.of(passage.count, ROWS, max(ROWS, min(_FEW, most)))

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
            self.clock.read()
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
        what, units = _("judging the held-out part"), self.material.vocab.units
        bar = progress_bar(len(sample.places), units, what, delay=2.0)
        try:
            with bar:
                held_out = self._judge(passage, sample, stop, bar)
        except _StopAsked:
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
