"""How a training begins: a new one from files, or an old one from where it stands."""

import logging
import math
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from textgen.bars import heard
from textgen.config import DEFAULT_CHECKPOINTS, DEFAULT_MINUTES, Settings
from textgen.counts.excerpt import Excerpt
from textgen.errors import TextgenError, UsageError
from textgen.evaluation.overlap import tell_held_out
from textgen.language import _
from textgen.reading.corpus import Corpus
from textgen.runs.beginning import Beginning
from textgen.runs.folder import Mirror, Run, create_run, make_room_for, new_name
from textgen.runs.lock import locked
from textgen.runs.progress import Plan
from textgen.runs.record import Entry
from textgen.runs.weights import require_model
from textgen.text.batches import TooShortError
from textgen.text.unknown import unknown_message
from textgen.training.beginning import told
from textgen.training.leading import note_run
from textgen.training.memory import require_memory
from textgen.training.moment import OnStep
from textgen.training.plan import passes
from textgen.training.precision import keep_dtype, with_kept_dtype
from textgen.training.provenance import given, leg, versions
from textgen.training.recipe import complete, tokens_to_count, tokens_to_judge
from textgen.training.result import Result
from textgen.training.session import Session
from textgen.training.setup import Material, require_possible
from textgen.training.sources import Source, source_of, source_of_run

log = logging.getLogger(__name__)

_NO_YARDSTICKS = dict.fromkeys(("kneser_ney_bits_per_character", "trigram_bits_per_character"))

_SOON_COUNTED = 2_000_000
"""Characters to learn from whose yardsticks are counted within a second: before the training, so
that plots have them from its beginning. Those of a longer text are counted at its end."""


@heard()
def train(
    paths: Corpus | Sequence[Path | str] | Path | str,
    settings: Settings = Settings(),
    name: str | None = None,
    checkpoints: Path | str = DEFAULT_CHECKPOINTS,
    mirror: Mirror = nullcontext,
    *,
    repeated: Run | None = None,
    begin: Run | None = None,
    command: Sequence[str] | None = None,
    on_step: OnStep | None = None,
) -> Result:
    """Train a new model on text files, and leave it in a run folder.

    Args:
        paths: text files, or folders of them, or one store; or what has been read already.
        settings: all settings; ``Settings.of(hidden_size=256, minutes=3)`` makes them.
        name: the run's name; the first file's name and the time when not given.
        checkpoints: the folder in which the run's folder is made.
        mirror: what shows the record elsewhere meanwhile.
        repeated: a run whose steps are done once more, where text and settings allow it.
        begin: a run whose weights are begun with; it stays as it is.
        command: the words of the command line, if there is one, for ``config.json``.
        on_step: is called with a ``Moment`` after every step; what it raises ends the training,
            saved. The numbers that it returns, a dict by their names, stand in the record's next
            entry.

    Raises:
        TextgenError: bad input; nothing is written then. Or the training went wrong or was
            stopped; then the run can be resumed.
    """
    asked = given(settings)
    began = time.perf_counter()
    if not settings.has_length():
        settings = settings.with_length(minutes=DEFAULT_MINUTES)
    if repeated is not None and begin is None and (earlier := repeated.begun_with):
        raise UsageError(
            "{name} began with {earlier}: give --from as well", name=repeated.name, earlier=earlier
        )
    beginning = None if begin is None else Beginning.of(begin)
    settings = beginning.fitted(settings) if beginning else settings
    source = source_of(paths, settings, Path(checkpoints), beginning)
    del paths  # a long text is not to be in memory once more
    settings = source.fitted(settings)
    named = name is not None
    name = name or new_name(source.path, datetime.now())  # noqa: DTZ005
    vocab, length, minutes = source.vocab, source.length, settings.training.minutes
    require_memory(settings, len(vocab))
    steps = None if repeated is None else _steps_again(repeated, settings, source)
    longest = max(length, len(source.earlier))
    bounds = tokens_to_count(longest, minutes), tokens_to_judge(minutes)
    material = source.material(*((steps.counted, steps.judged) if steps else bounds))
    try:
        require_possible(settings, material)
    except TooShortError as error:
        whole = math.ceil(error.needed / (1 - settings.corpus.held_out))
        raise TextgenError(
            "the text is too short: {error}; with what --held-out keeps back that makes "
            "{whole:,} in all: give a longer text, or a smaller --batch-size or --num-steps",
            error=error,
            whole=whole,
        ) from None
    root = Path(checkpoints)
    # A name by the second may be another training's as well: create_run tells them apart.
    make_room_for(root, name, numbered=not named)
    unknown = (unknown_message(vocab, prefix, name) for prefix in settings.training.prefix)
    # At once: all that follows takes seconds with a long text.
    _tell(*source.remarks(), *unknown)
    settings, chosen = complete(
        settings,
        length,
        lambda sized: passes(sized, material),
        pretrained=beginning is not None,
    )
    kept = settings if repeated is None else with_kept_dtype(repeated, settings)
    session = Session(kept, material, on_step=on_step)
    _tell(chosen, *_bounded(settings, material))
    if beginning is not None:
        gate = session.learner.parts()["gate"]
        _tell(*told(beginning, vocab, gate))
    plan = steps or session.plan()
    config = {
        "settings": settings.flat(),
        "plan": asdict(plan),
        "dtype": session.dtype,
        **_NO_YARDSTICKS,
        **source.about(),
        "versions": versions(),
        "legs": [_leg(session, command, asked)],
    }
    if material.held_out is not None and longest <= _SOON_COUNTED:
        config |= source.yardsticks(plan)
    learned = material.learned if settings.model.counts else None
    run = create_run(
        root,
        name,
        config,
        vocab,
        source.text,
        learned,
        numbered=not named,
        earlier=source.earlier,
        begin=session.save if beginning else None,
    )
    del source  # of a long text, much of the memory
    with locked(run.folder):
        tell_held_out(run)
        if plan.budget is not None:
            log.info(
                "Counting and measuring took %.1f s; the %g s begin now",
                time.perf_counter() - began,
                plan.budget,
            )
        planned = repeated.record.read() if repeated is not None and steps is not None else ()
        return _go(session, run, mirror, planned)


def _steps_again(run: Run, settings: Settings, source: Source) -> Plan | None:
    """Return the plan of a run, to repeat it step for step; none where that would not be the same.

    Args:
        run: the run.
        settings: those of the new training.
        source: what that learns from.
    """
    old, new = run.settings.training, settings.training
    same = all(
        getattr(old, name) == getattr(new, name)
        for name in ("batch_size", "num_steps", "epochs", "minutes")
    )
    known = (run.config.get("text_sha256"), run.config.get("from")) == source.known_by
    if not (same and known and run.settings.corpus == settings.corpus):
        return None
    log.info("The %s steps of %s once more", f"{run.plan.total_steps:,}", run.name)
    plan = replace(run.plan, evaluate_every=new.evaluate_every or run.plan.evaluate_every)
    # What went by the clock follows the record; of more than one training it is as many steps.
    return replace(plan, budget=None, first_step=0) if plan.first_step else plan


@heard()
def resume(
    run: Run,
    settings: Settings | None = None,
    mirror: Mirror = nullcontext,
    command: Sequence[str] | None = None,
    *,
    store: Path | None = None,
    on_step: OnStep | None = None,
) -> Result:
    """Go on with a training, exactly from where its last checkpoint stands.

    Args:
        run: the run.
        settings: the run's own, without its length, when not given. Changes in ``training`` and
            of dropout are welcome. Epochs or minutes are trained on top of what is done; with
            neither, what the run was made for is completed.
        mirror: what shows the record elsewhere meanwhile.
        command: the words of the command line, if there is one, for ``config.json``.
        store: where the store is that it learns from, if that has been moved.
        on_step: is called after every step, as in ``train``.

    Raises:
        TextgenError: the run is complete, somebody else trains it right now, or the settings do
            not fit it.
    """
    settings = settings or run.settings.with_length()
    if settings.corpus != run.settings.corpus:
        raise UsageError(
            "the settings of the text of {name} cannot change when it goes on", name=run.name
        )
    with locked(run.folder):
        return _go_on(run, settings, mirror, command, on_step, store)


def _go_on(
    run: Run,
    settings: Settings,
    mirror: Mirror,
    command: Sequence[str] | None,
    on_step: OnStep | None,
    store: Path | None,
) -> Result:
    run.record.check()
    require_model(run.last, len(run.vocab), settings.model)
    require_memory(settings, len(run.vocab))
    counted, judged = run.plan.counted, run.plan.judged
    material = source_of_run(run, store).material(counted, judged, as_before=not run.skips)
    session = Session(with_kept_dtype(run, settings), material, on_step=on_step)
    session.load(run)
    keep_dtype(run, session.dtype)
    done = session.position.step
    asked = given(settings, run.settings.with_length())
    run.config["legs"] = [*run.legs, _leg(session, command, asked)]  # written with what follows
    if settings.has_length():
        session.progress.stale = 0
        run.record.forget_after(session.kept)  # nothing of that is followed any more
        plan = session.plan()
        most = None if plan.most is None else done + plan.most
        total_steps = done + plan.total_steps
        run.update(settings, replace(plan, total_steps=total_steps, most=most, first_step=done))
    elif session.is_complete(run):
        raise TextgenError(
            "{name} is complete after {done:,} steps; to train it for longer: "
            "textgen train --resume {quoted} --minutes 10",
            name=run.name,
            done=done,
            quoted=shlex.quote(run.name),
        )
    else:
        before = run.settings.training
        run.update(settings.with_length(before.epochs, before.minutes), run.plan)
    tell_held_out(run)
    return _go(session, run, mirror)


def _leg(session: Session, command: Sequence[str] | None, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what ``config.json`` tells of a training that begins now."""
    return leg(
        command=command,
        first_step=session.position.step,
        given=asked,
        device=str(session.model.device),
        dtype=session.dtype,
    )


def _go(session: Session, run: Run, mirror: Mirror, followed: Sequence[Entry] = ()) -> Result:
    """Train, and count the yardsticks of a long text at the end."""
    note_run(run.folder)
    result = session.run(run, mirror, followed)
    if result.held_out is not None and run.kneser_ney_bits is None:
        run.config |= source_of_run(run).yardsticks(run.plan)
        run.update(run.settings, run.plan)
    return result


def _tell(*lines: str | None) -> None:
    for line in filter(None, lines):
        log.info("%s", line)


def _bounded(settings: Settings, material: Material) -> Iterator[str]:
    """Yield what of a long text is counted and judged, in words, where that is not all."""
    units, length = material.vocab.units, len(material.tokens)
    counted = Excerpt.of(length, material.counted).counted
    if settings.model.counts and counted < length:
        yield _(
            "{counted:,} of {count:,} {units} to learn from, spread evenly, are counted"
        ).format(counted=counted, count=length, units=units)
    samples = material.on_the_way, material.at_the_end
    on_the_way, at_the_end = (len(sample.places) for sample in samples)
    if at_the_end < (count := material.at_the_end.count):
        yield _(
            "{on_the_way:,} of {count:,} {units} held out, spread evenly, are judged at an "
            "evaluation, and {at_the_end:,} at the end; all of them by textgen evaluate"
        ).format(on_the_way=on_the_way, count=count, units=units, at_the_end=at_the_end)
