"""How a training begins: a new one from files, or an old one from where it stands."""

import logging
import math
import shlex
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import torch

from textgen.config import DEFAULT_CHECKPOINTS, DEFAULT_MINUTES, Settings
from textgen.counts.excerpt import Excerpt
from textgen.errors import TextgenError, UsageError
from textgen.evaluation.overlap import measured, tell_held_out
from textgen.evaluation.sample import Sample
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.reading.corpus import Corpus, read_and_tell
from textgen.runs.folder import Mirror, Run, create_run, make_room_for, new_name, split_text
from textgen.runs.lock import locked
from textgen.runs.progress import Plan
from textgen.runs.weights import require_model
from textgen.text.batches import TooShortError
from textgen.text.unknown import unknown_message
from textgen.text.vocab import Vocab, first_tokens
from textgen.training.memory import require_memory
from textgen.training.plan import passes
from textgen.training.precision import keep_dtype, with_kept_dtype
from textgen.training.recipe import complete, tokens_to_count, tokens_to_judge
from textgen.training.session import Result, Session
from textgen.training.setup import Material, require_possible
from textgen.version import __version__

log = logging.getLogger(__name__)

_NO_YARDSTICKS = dict.fromkeys(("kneser_ney_bits_per_character", "trigram_bits_per_character"))

_SOON_COUNTED = 2_000_000
"""Characters to learn from whose yardsticks are counted within a second: before the training, so
that plots have them from its beginning. Those of a longer text are counted at its end."""


def train(
    paths: Corpus | Sequence[Path | str] | Path | str,
    settings: Settings = Settings(),
    name: str | None = None,
    checkpoints: Path | str = DEFAULT_CHECKPOINTS,
    mirror: Mirror = nullcontext,
) -> Result:
    """Train a new model on text files, and leave it in a run folder.

    Args:
        paths: text files, or folders of them; or what has been read of them already.
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
    corpus = paths if isinstance(paths, Corpus) else _read(paths, settings)
    named = name is not None
    name = name or new_name(corpus.path, datetime.now())  # noqa: DTZ005
    text = first_tokens(corpus.text, settings.corpus.tokens, settings.corpus.max_tokens)
    vocab = Vocab.build(text, settings.corpus.tokens, settings.corpus.min_count)
    if len(vocab) == 1:
        raise UsageError(
            f"--min-count {settings.corpus.min_count} leaves no token of the text: lower it"
        )
    require_memory(settings, len(vocab))
    parts = split_text(text, settings.corpus.held_out)
    length, minutes = len(parts[0]), settings.training.minutes
    bounds = tokens_to_count(length, minutes), tokens_to_judge(minutes)
    material = Material.of(vocab, *parts, *bounds)
    del parts  # of a long text, much of the memory
    try:
        require_possible(settings, material)
    except TooShortError as error:
        whole = math.ceil(error.needed / (1 - settings.corpus.held_out))
        raise TextgenError(
            f"the text is too short: {error}; with what --held-out keeps back that makes "
            f"{whole:,} in all: give a longer text, or a smaller --batch-size or --num-steps"
        ) from None
    root = Path(checkpoints)
    # A name by the second may be another training's as well: create_run tells them apart.
    make_room_for(root, name, numbered=not named)
    unknown = (unknown_message(vocab, prefix, name) for prefix in settings.training.prefix)
    cut = f"of that, the first {len(text):,} characters are used" if text != corpus.text else ""
    _tell(cut, *unknown)  # at once: all that follows takes seconds with a long text
    settings, chosen = complete(settings, length, lambda sized: passes(sized, material))
    session = Session(settings, material)
    _tell(chosen, *_bounded(settings, material))
    plan = session.plan()
    config = {
        "settings": settings.flat(),
        "files": [{"path": str(file.path), "encoding": file.encoding} for file in corpus.files],
        "characters": len(text),
        "plan": asdict(plan),
        "dtype": session.dtype,
        **_NO_YARDSTICKS,
        **measured(*split_text(text, settings.corpus.held_out)),
        "versions": {"textgen": __version__, "torch": torch.__version__},
    }
    if material.held_out is not None and length <= _SOON_COUNTED:
        config |= _yardsticks(*split_text(text, settings.corpus.held_out), plan)
    learned = material.learned if settings.model.counts else None
    run = create_run(root, name, config, vocab, text, learned, numbered=not named)
    del corpus, text
    with locked(run.folder):
        tell_held_out(run)
        return _go(session, run, mirror)


def _read(paths: Sequence[Path | str] | Path | str, settings: Settings) -> Corpus:
    files = [Path(path) for path in ([paths] if isinstance(paths, Path | str) else paths)]
    return read_and_tell(files, settings.reading)


def resume(run: Run, settings: Settings | None = None, mirror: Mirror = nullcontext) -> Result:
    """Go on with a training, exactly from where its last checkpoint stands.

    Args:
        run: the run.
        settings: the run's own, without its length, when not given. Changes in ``training`` and
            of dropout are welcome. Epochs or minutes are trained on top of what is done; with
            neither, what the run was made for is completed.
        mirror: what shows the record elsewhere meanwhile.

    Raises:
        TextgenError: the run is complete, somebody else trains it right now, or the settings do
            not fit it.
    """
    settings = settings or run.settings.with_length()
    if settings.corpus != run.settings.corpus:
        raise UsageError(f"the settings of the text of {run.name} cannot change when it goes on")
    with locked(run.folder):
        return _go_on(run, settings, mirror)


def _go_on(run: Run, settings: Settings, mirror: Mirror) -> Result:
    run.record.check()
    require_model(run.last, len(run.vocab), settings.model)
    require_memory(settings, len(run.vocab))
    counted, judged = run.plan.counted, run.plan.judged
    material = Material.of(run.vocab, *run.split(), counted, judged, as_before=not run.skips)
    session = Session(with_kept_dtype(run, settings), material)
    session.load(run)
    keep_dtype(run, session.dtype)
    done = session.position.step
    if settings.has_length():
        session.progress.stale = 0
        plan = session.plan()
        run.update(settings, replace(plan, total_steps=done + plan.total_steps))
    elif (
        (done >= run.plan.total_steps or session.ran_stale())
        and session.pending is None
        and session.is_judged(run)
    ):
        raise TextgenError(
            f"{run.name} is complete after {done:,} steps; to train it for longer: "
            f"textgen train --resume {shlex.quote(run.name)} --minutes 10"
        )
    else:
        before = run.settings.training
        run.update(settings.with_length(before.epochs, before.minutes), run.plan)
    tell_held_out(run)
    return _go(session, run, mirror)


def _go(session: Session, run: Run, mirror: Mirror) -> Result:
    """Train, and count the yardsticks of a long text at the end."""
    result = session.run(run, mirror)
    if result.held_out is not None and run.kneser_ney_bits is None:
        run.config |= _yardsticks(*run.split(), run.plan)
        run.update(run.settings, run.plan)
    return result


def _yardsticks(training_text: str, held_out_text: str, plan: Plan) -> dict[str, float]:
    """Return what counting alone comes to, on what the model is judged on at its end."""
    sample = Sample.at_the_end(len(held_out_text), plan.judged)
    found = count_yardsticks(training_text, held_out_text, plan.counted, sample)
    figures = found.kneser_ney.bits_per_character, found.trigram.bits_per_character
    return dict(zip(_NO_YARDSTICKS, figures, strict=True))


def _tell(*lines: str | None) -> None:
    for line in filter(None, lines):
        log.info("%s", line)


def _bounded(settings: Settings, material: Material) -> Iterator[str]:
    """Yield what of a long text is counted and judged, in words, where that is not all."""
    kinds, length = f"{material.vocab.kind}s", len(material.tokens)
    counted = Excerpt.of(length, material.counted).counted
    if settings.model.counts and counted < length:
        yield f"{counted:,} of {length:,} {kinds} to learn from, spread evenly, are counted"
    samples = material.on_the_way, material.at_the_end
    on_the_way, at_the_end = (len(sample.places) for sample in samples)
    if at_the_end < (count := material.at_the_end.count):
        yield (
            f"{on_the_way:,} of {count:,} {kinds} held out, spread evenly, are judged at an "
            f"evaluation, and {at_the_end:,} at the end; all of them by textgen evaluate"
        )
