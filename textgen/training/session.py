"""A training from files to a finished run: reading, measuring, the loop, evaluating, saving."""

import copy
import logging
import math
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import NoReturn

import torch
from tqdm import tqdm

from textgen.config import DEFAULT_CHECKPOINTS, DEFAULT_MINUTES, GenerationConfig, Settings
from textgen.errors import Interrupted, TextgenError, UsageError
from textgen.evaluation.perplexity import Evaluation, evaluate_text, evaluate_trigram
from textgen.interrupts import StopRequest, stop_requests
from textgen.model.language_model import build_model, choose_device
from textgen.model.precision import choose_dtype
from textgen.runs.checkpoint import (
    Plan,
    Progress,
    Run,
    create_run,
    load_training,
    load_weights,
    make_room_for,
    save_checkpoint,
    split_text,
)
from textgen.runs.record import Entry
from textgen.text.batches import POLICIES, TooShortError
from textgen.text.reading import read_corpus
from textgen.text.vocab import Vocab, first_tokens
from textgen.training.loop import Position, make_optimizer, norm_of, steps_in_epochs, train_steps
from textgen.training.meter import Meter, require_finite
from textgen.training.recipe import complete
from textgen.writing.generation import generate

log = logging.getLogger(__name__)

_EVALUATIONS = 10
"""Evaluations in a training that does not say --evaluate-every; fewer when they take long."""

_EVALUATING = 0.1
"""Share of --minutes that evaluations may take, unless it is less than one."""

_REPORTS = 200
"""Lines in a record, about."""

_ROWS = 32
"""Rows in which the held-out part is read during the training; at its end it is one."""

_SAVE_SECONDS = 60.0
"""Seconds of training that a power cut may cost."""

_MEASURE_SECONDS = 2.0
"""How long the speed is measured that turns minutes into steps."""

_SAMPLE = GenerationConfig(length=60, seed=0)

Mirror = Callable[[Run], AbstractContextManager[object]]
"""What shows a run's record elsewhere while it is trained; see dashboard/mirror.py."""


@dataclass(frozen=True)
class Result:
    """A finished training."""

    run: Run
    tokens: int
    """Tokens trained on, every repetition counted."""

    tokens_per_second: float
    held_out: Evaluation | None
    """The best weights' figures on the held-out part; none without such a part."""


def train(
    paths: Sequence[Path | str] | Path | str,
    settings: Settings = Settings(),
    name: str | None = None,
    checkpoints: Path | str = DEFAULT_CHECKPOINTS,
    mirror: Mirror = nullcontext,
) -> Result:
    """Train a new model on text files, and leave it in a run folder.

    Args:
        paths: text files, or folders of them.
        settings: all settings; ``Settings.of(hidden_size=256, minutes=3)`` makes them.
        name: the run's name; the first file's name and the time when not given.
        checkpoints: the folder in which the run's folder is made.
        mirror: what shows the record elsewhere meanwhile.

    Raises:
        TextgenError: bad input; nothing is written then. Or the training went wrong or was
            stopped; then the run can be resumed.
    """
    if not settings.has_length():
        settings = settings.with_length(minutes=DEFAULT_MINUTES)
    files = [Path(path) for path in ([paths] if isinstance(paths, Path | str) else paths)]
    name = name or f"{files[0].resolve().stem[:60]}-{datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005
    corpus = read_corpus(files, settings.corpus.encoding)
    text = first_tokens(corpus.text, settings.corpus.tokens, settings.corpus.max_tokens)
    vocab = Vocab.build(text, settings.corpus.tokens, settings.corpus.min_count)
    training_text, held_out_text = split_text(text, settings.corpus.held_out)
    if len(vocab) == 1:
        raise UsageError(
            f"--min-count {settings.corpus.min_count} leaves no token of the text: lower it"
        )

    def passes(settings: Settings) -> float:
        return Session(settings, vocab, training_text, held_out_text).passes()

    try:
        settings, chosen = complete(settings, len(training_text), passes)
        session = Session(settings, vocab, training_text, held_out_text)
    except TooShortError as error:
        whole = math.ceil(error.needed / (1 - settings.corpus.held_out))
        raise TextgenError(
            f"the text is too short: {error}; with what --held-out keeps back that makes "
            f"{whole:,} in all: give a longer text, or a smaller --batch-size or --num-steps"
        ) from None
    root = Path(checkpoints)
    make_room_for(root, name)
    for line in (*(file.describe() for file in corpus.files), chosen):
        if line:
            log.info("%s", line)
    plan = session.plan()
    trigram = evaluate_trigram(training_text, held_out_text) if held_out_text else None
    config = {
        "settings": settings.flat(),
        "files": [{"path": str(file.path), "encoding": file.encoding} for file in corpus.files],
        "characters": len(text),
        "plan": asdict(plan),
        "trigram_bits_per_character": trigram and trigram.bits_per_character,
        "versions": {"textgen": version("textgen"), "torch": torch.__version__},
    }
    run = create_run(root, name, config, vocab, text)
    return session.run(run, mirror)


def resume(run: Run, settings: Settings | None = None, mirror: Mirror = nullcontext) -> Result:
    """Go on with a training, exactly from where its last checkpoint stands.

    Args:
        run: the run.
        settings: the run's own, without its length, when not given. Changes in ``training`` and
            of dropout are welcome. Epochs or minutes are trained on top of what is done; with
            neither, what the run was made for is completed.
        mirror: what shows the record elsewhere meanwhile.

    Raises:
        TextgenError: the run is complete, or the settings do not fit it.
    """
    settings = settings or run.settings.with_length()
    if settings.corpus != run.settings.corpus:
        raise UsageError(f"the settings of the text of {run.name} cannot change when it goes on")
    session = Session(settings, run.vocab, *run.split())
    session.load(run)
    done = session.position.step
    if settings.has_length():
        session.progress.stale = 0
        plan = session.plan()
        run.update(settings, replace(plan, total_steps=done + plan.total_steps))
    elif done >= run.plan.total_steps or session.ran_stale():
        raise TextgenError(
            f"{run.name} is complete after {done:,} steps; to train it for longer: "
            f"textgen train --resume {shlex.quote(run.name)} --minutes 10"
        )
    else:
        before = run.settings.training
        run.update(settings.with_length(before.epochs, before.minutes), run.plan)
    return session.run(run, mirror)


class Session:
    """A model, its data and its optimiser, at some position in a training.

    Raises:
        TextgenError: the text is too short, or the device or the precision is not to be had.
    """

    def __init__(
        self, settings: Settings, vocab: Vocab, training_text: str, held_out_text: str
    ) -> None:
        config = settings.training
        self.settings = settings
        self.config = config
        self.vocab = vocab
        self.training_text = training_text
        self.held_out_text = held_out_text
        device = choose_device(config.device)
        tokens = torch.from_numpy(vocab.encode(training_text)).to(device)
        self.batches = POLICIES[config.batches](
            tokens, config.batch_size, config.num_steps, config.seed
        )
        torch.manual_seed(config.seed)
        self.model = build_model(len(vocab), settings.model).to(device)
        if settings.model.init_std is None:
            self.model.expect(tokens)
        # Asked for now: what cannot be had is refused before anything is written.
        self.dtype = choose_dtype(config.precision, self.model.parameters())
        self.optimizer = make_optimizer(self.model, config)
        self.position = Position()
        self.progress = Progress()

    def load(self, run: Run) -> None:
        """Take weights, optimiser and position from the run's last checkpoint."""
        self.position, self.progress = load_training(
            run.last, self.model, self.optimizer, self.vocab
        )
        old, new = run.settings.training, self.config
        if any(
            getattr(old, name) != getattr(new, name)
            for name in ("batches", "batch_size", "num_steps", "seed")
        ):
            # The old position is none in the new batches: on to the next epoch.
            self.position = Position(self.position.step, self.position.epoch + 1)

    def ran_stale(self) -> bool:
        """Return whether the held-out loss has stopped falling."""
        return 0 < self.config.patience <= self.progress.stale

    def passes(self) -> float:
        """Return how often the minutes are enough to go through the text."""
        per_step, _ = self._measure()
        return 60 * (self.config.minutes or 0.0) / per_step / self.batches.num_batches(0)

    def plan(self) -> Plan:
        """Turn epochs and minutes into steps; where both are set, the fewer steps count."""
        config = self.config
        limits, evaluations = [], _EVALUATIONS
        if config.epochs is not None:
            limits.append(steps_in_epochs(self.batches, config.epochs))
        if config.minutes is not None:
            seconds = 60 * config.minutes
            per_step, per_evaluation = self._measure()
            affordable = int(_EVALUATING * seconds / (per_evaluation + 1e-9))
            evaluations = max(1, min(_EVALUATIONS, affordable))
            limits.append(max(1, int((seconds - evaluations * per_evaluation) / per_step)))
            log.info(
                "%g minutes are %s steps of %.0f ms here, in %s",
                config.minutes,
                f"{limits[-1]:,}",
                1000 * per_step,
                str(self.dtype).removeprefix("torch."),
            )
        total_steps = min(limits)
        return Plan(total_steps, config.evaluate_every or math.ceil(total_steps / evaluations))

    def _measure(self) -> tuple[float, float]:
        """Return the seconds of a step and of an evaluation; the model stays as it was."""
        weights = copy.deepcopy(self.model.state_dict())
        optimizer = make_optimizer(self.model, self.config)
        steps = train_steps(
            self.model, self.batches, optimizer, self.config, sys.maxsize, Position()
        )
        for step in islice(steps, 2):  # the first ones also make what later ones use again
            float(step.loss)
        begin, count = time.monotonic(), 0
        while time.monotonic() - begin < _MEASURE_SECONDS or count < 3:
            float(next(steps).loss)
            count += 1
        per_step = (time.monotonic() - begin) / count
        self.model.load_state_dict(weights)
        begin = time.monotonic()
        if self.held_out_text:
            self._judge_held_out(rows=_ROWS)
        return per_step, time.monotonic() - begin

    def run(self, run: Run, mirror: Mirror) -> Result:
        """Train until the run's last step, an early stop or a request to stop.

        Raises:
            Interrupted: somebody asked to stop; everything is saved.
            TextgenError: the loss is not finite, or the disk is full.
        """
        with stop_requests() as stop:  # first of all: from here on a signal must lose nothing
            run.record.forget_after(self.position.step)
            before = run.record.read()[-1:] or [{"tokens": 0, "seconds": 0.0}]
            meter = Meter(before[0]["tokens"], before[0]["seconds"])
            with mirror(run), self._progress_bar(run) as bar:
                try:
                    self._train(run, meter, stop, bar)
                except BrokenPipeError:  # who read the messages has gone, as with Ctrl-C
                    self._save(run)
                    raise Interrupted(
                        f"stopped; go on with: textgen train --resume {shlex.quote(run.name)}"
                    ) from None
        held_out = self._judge_best(run) if self.held_out_text else None
        return Result(run, meter.tokens, meter.tokens / max(meter.seconds, 1e-9), held_out)

    def _train(self, run: Run, meter: Meter, stop: StopRequest, bar: "tqdm[NoReturn]") -> None:
        total_steps, evaluate_every = run.plan.total_steps, run.plan.evaluate_every
        report_every = max(1, total_steps // _REPORTS)
        saved = time.monotonic()
        meter.start()
        for step in train_steps(
            self.model, self.batches, self.optimizer, self.config, total_steps, self.position
        ):
            self.position = step.position
            meter.add(step)
            bar.update(step.tokens)
            done = step.position.step
            evaluate = done % evaluate_every == 0 or done == total_steps
            save = evaluate or stop.asked or time.monotonic() - saved > _SAVE_SECONDS
            if not save and done % report_every != 0:
                continue
            entry = meter.read(step, self._epoch())
            # Never infinite: nothing that is, is allowed into JSON.
            entry["perplexity"] = math.exp(min(entry["loss"], 700.0))
            if save:  # a step may leave weights that only the next step's loss would tell of
                norm = float(norm_of(p.detach() for p in self.model.parameters()))
                require_finite("norm of the weights", norm, done)
            if evaluate:
                entry |= self._evaluation(run)
            run.record.append(entry)
            _show(bar, entry)
            if save:
                self._save(run)
                saved = time.monotonic()
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
                return
            meter.start()

    def _save(self, run: Run) -> None:
        save_checkpoint(
            run.last, self.model, self.position, self.progress, self.optimizer, self.vocab
        )

    def _epoch(self) -> float:
        """Return the number of epochs done, with the part of the last one."""
        position = self.position
        return position.epoch + position.batch / self.batches.num_batches(position.epoch)

    def _evaluation(self, run: Run) -> Entry:
        """Judge the held-out part, keep the weights if they are the best, write a sample."""
        if not self.held_out_text:
            return {"sample": self._sample()}
        held_out = self._judge_held_out(rows=_ROWS)
        bits = held_out.bits_per_character
        require_finite("held-out loss", bits, self.position.step)
        self.progress.stale += 1
        if self.progress.best_bits is None or bits < self.progress.best_bits:
            self.progress = Progress(bits, 0)
            save_checkpoint(run.best, self.model, self.position, self.progress, vocab=self.vocab)
        return {
            "held_out_perplexity": held_out.perplexity,
            "held_out_bits_per_character": bits,
            "sample": self._sample(),
        }

    def _sample(self) -> str:
        return "".join(generate(self.model, self.vocab, "\n", _SAMPLE))

    def _judge_held_out(self, rows: int) -> Evaluation:
        return evaluate_text(self.model, self.vocab, self.held_out_text, self.training_text, rows)

    def _judge_best(self, run: Run) -> Evaluation:
        """Read the held-out part strictly in order with the best weights, and record that."""
        step = load_weights(run.best, self.model, self.vocab)
        held_out = self._judge_held_out(rows=1)
        last = run.record.read()[-1]
        run.record.append(
            {name: last[name] for name in ("step", "epoch", "tokens", "seconds")}
            | {
                "best_step": step,
                "best_held_out_perplexity": held_out.perplexity,
                "best_held_out_bits_per_character": held_out.bits_per_character,
            }
        )
        return held_out

    def _progress_bar(self, run: Run) -> "tqdm[NoReturn]":
        tokens_per_step = self.config.batch_size * self.config.num_steps
        return tqdm(
            total=run.plan.total_steps * tokens_per_step,
            initial=self.position.step * tokens_per_step,
            unit=f" {self.settings.corpus.tokens}s",
            unit_scale=True,
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}% |{bar}| {elapsed}<{remaining}, {rate_fmt}{postfix}",
        )


def _show(bar: "tqdm[NoReturn]", entry: Entry) -> None:
    """Show an entry of the record on the bar, and an evaluation in lines above it."""
    loss, perplexity = entry["loss"], entry["perplexity"]
    bar.set_postfix_str(f"loss {loss:.3f}, perplexity {perplexity:.1f}", refresh=False)
    if "held_out_perplexity" in entry:
        log.info(
            "epoch %.2f: perplexity %.1f, held out %.1f (%.3f bits per character)",
            entry["epoch"],
            perplexity,
            entry["held_out_perplexity"],
            entry["held_out_bits_per_character"],
        )
    if "sample" in entry:
        log.info("  %s", entry["sample"].replace("\n", " "))
