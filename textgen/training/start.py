"""How a training begins: a new one from files, or an old one from where it stands."""

import logging
import math
import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import torch

from textgen.config import DEFAULT_CHECKPOINTS, DEFAULT_MINUTES, Settings
from textgen.errors import TextgenError, UsageError
from textgen.evaluation.overlap import measured, tell_held_out
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.reading.corpus import Corpus, read_corpus
from textgen.runs.folder import Mirror, Run, create_run, make_room_for, new_name, split_text
from textgen.text.batches import TooShortError
from textgen.text.unknown import unknown_message
from textgen.text.vocab import Vocab, first_tokens
from textgen.training.plan import passes
from textgen.training.recipe import complete
from textgen.training.session import Result, Session
from textgen.training.setup import Material
from textgen.version import __version__

log = logging.getLogger(__name__)


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
    name = name or new_name(corpus.path, datetime.now())  # noqa: DTZ005
    text = first_tokens(corpus.text, settings.corpus.tokens, settings.corpus.max_tokens)
    vocab = Vocab.build(text, settings.corpus.tokens, settings.corpus.min_count)
    training_text, held_out_text = split_text(text, settings.corpus.held_out)
    if len(vocab) == 1:
        raise UsageError(
            f"--min-count {settings.corpus.min_count} leaves no token of the text: lower it"
        )
    material = Material(vocab, training_text, held_out_text)
    try:
        settings, chosen = complete(
            settings, len(training_text), lambda sized: passes(sized, material)
        )
        session = Session(settings, material)
    except TooShortError as error:
        whole = math.ceil(error.needed / (1 - settings.corpus.held_out))
        raise TextgenError(
            f"the text is too short: {error}; with what --held-out keeps back that makes "
            f"{whole:,} in all: give a longer text, or a smaller --batch-size or --num-steps"
        ) from None
    root = Path(checkpoints)
    make_room_for(root, name)
    cut = f"of that, the first {len(text):,} characters are used" if text != corpus.text else ""
    unknown = (unknown_message(vocab, prefix, name) for prefix in settings.training.prefix)
    for line in (cut, chosen, *unknown):
        if line:
            log.info("%s", line)
    plan = session.plan()
    counted = count_yardsticks(training_text, held_out_text) if held_out_text else None
    config = {
        "settings": settings.flat(),
        "files": [{"path": str(file.path), "encoding": file.encoding} for file in corpus.files],
        "characters": len(text),
        "plan": asdict(plan),
        "kneser_ney_bits_per_character": counted and counted.kneser_ney.bits_per_character,
        "trigram_bits_per_character": counted and counted.trigram.bits_per_character,
        **measured(training_text, held_out_text),
        "versions": {"textgen": __version__, "torch": torch.__version__},
    }
    learned = material.learned if settings.model.counts else None
    run = create_run(root, name, config, vocab, text, learned)
    tell_held_out(run)
    return session.run(run, mirror)


def _read(paths: Sequence[Path | str] | Path | str, settings: Settings) -> Corpus:
    files = [Path(path) for path in ([paths] if isinstance(paths, Path | str) else paths)]
    corpus = read_corpus(files, settings.reading)
    for line in corpus.describe():
        log.info("%s", line)
    return corpus


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
    session = Session(settings, Material(run.vocab, *run.split()))
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
    tell_held_out(run)
    return session.run(run, mirror)
