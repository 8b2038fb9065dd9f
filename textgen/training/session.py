"""A training under way: taken up, trained, gone back, saved."""

import contextlib
import logging
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from textgen.bars import progress_bar, set_total
from textgen.config import Settings
from textgen.errors import TextgenError, os_reason
from textgen.interrupts import StopRequest, stop_requests
from textgen.language import Message
from textgen.model.precision import choose_dtype
from textgen.runs.checkpoint import load_training, save_checkpoint
from textgen.runs.folder import Mirror, Run
from textgen.runs.progress import Plan, Position, Progress
from textgen.runs.record import Entry
from textgen.runs.weights import DamagedError
from textgen.training.agenda import Agenda, Due, agenda_of, spent_after
from textgen.training.clock import Clock
from textgen.training.judging import Judge, StopAsked, held_out_entry, perplexity_of
from textgen.training.loop import Step, norm_of
from textgen.training.meter import Meter, require_finite
from textgen.training.moment import Moment, OnStep, figures_of
from textgen.training.plan import make_plan
from textgen.training.recovery import NotFiniteError, halved
from textgen.training.result import Result
from textgen.training.setup import Material, set_up
from textgen.training.stopping import given_up, interrupted
from textgen.training.telling import tell, tell_budget

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
        self.judge = Judge(self.learner, material, self.clock)
        self.on_step = on_step
        self._raised: Exception | None = None
        self.agenda: Agenda = agenda_of(Plan(1, 1), [])
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
        elif self.position.state is not None and (rows := self._rows_that_go_on()):
            expected = self.model.begin_state(rows)
            if [p.shape for p in self.position.state] != [p.shape for p in expected]:
                raise DamagedError(
                    "{path} is damaged: the state in it is of other batches", path=run.last
                )

    def _rows_that_go_on(self) -> int:
        """Return how many rows the next batch has, if they go on where the last one's stopped."""
        epoch, batch = self.position.epoch, self.position.batch
        if not self.batches.goes_on(epoch, batch):
            return 0
        following = next(self.batches.epoch(epoch, batch), None)
        return self.config.rows if following is None else len(following[0])

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
            raise given_up(run, self.position.step) from None

    def _run(self, run: Run, mirror: Mirror, followed: Sequence[Entry]) -> Result:
        with stop_requests() as stop:  # first of all: from here on a signal must lose nothing
            meter = self._take_up(run, run.record.read() or followed)
            tokens_per_step = self.config.rows * self.config.num_steps
            bar = progress_bar(
                self.agenda.course.total_steps * tokens_per_step,
                self.material.vocab.units,
                done=meter.trained_on,
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
            held_out = self.judge.best(run, passage, stop) if passage is not None else None
            if run.plan.budget is not None:
                done, epochs, early = self.position.step, self._epoch(), self.ran_stale()
                tell_budget(run, done, epochs, self.clock, spent, early=early)
        return Result(
            run,
            meter.tokens,
            meter.tokens / max(meter.seconds, 1e-9),
            next(e["perplexity"] for e in reversed(run.record.read()) if "perplexity" in e),
            str(self.model.device),
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
            # Of items, batches have more tokens or less.
            of_all = self.agenda.course.total_steps * meter.trained_on
            set_total(bar, round(of_all / step.position.step))
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
            raise interrupted(run, self.position.step, self.agenda.course.total_steps)
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
            self._tell(run, bar, self.judge.before())
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
        except StopAsked:
            self._save(run, pending=entry)
            raise interrupted(run, self.position.step, self.agenda.course.total_steps) from None
        if "spent" in entry:
            entry["spent"] = round(self.clock.read(), 3)
        return entry

    def _tell(self, run: Run, bar: "tqdm[NoReturn]", entry: Entry) -> None:
        """Record an entry, and show it."""
        run.record.append(entry)
        if "sample" in entry:
            self._shown = self.clock.read()
        tell(entry, bar, self.material, self.config.prefix)

    def _save(self, run: Run, pending: Entry | None = None) -> None:
        run.record.sync()
        self.save(run.last, pending)
        self._saved = self.clock.read()

    def save(self, path: Path, pending: Entry | None = None) -> None:
        """Write all that a resume needs."""
        save_checkpoint(
            path,
            position=self.position,
            progress=self.progress,
            vocab=self.material.vocab,
            **self.learner.parts(),
            pending=pending,
        )

    def _epoch(self) -> float:
        """Return the number of epochs done, with the part of the last one."""
        position = self.position
        return position.epoch + position.batch / self.batches.num_batches(position.epoch)

    def _evaluation(self, run: Run, stop: StopRequest) -> Entry:
        """Judge the held-out part, keep the weights if they are the best, write a sample."""
        passage = self.material.held_out
        if passage is None:
            return {"sample": self.judge.sample()}
        held_out = self.judge.on_the_way(passage, stop)
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
        return {**held_out_entry(held_out), "sample": self.judge.sample()}

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
        }
        if "spent" in (noted := self.agenda.noted(self.clock.seconds)):
            entry["spent"] = noted["spent"]
        self._tell(run, bar, entry | self.judge.glance(stop))
