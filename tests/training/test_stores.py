"""A store is learned from as the same text in memory is, and is never loaded."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import textgen
from tests.conftest import TINY, Command, flags, make_story
from textgen.config import Settings, StoreConfig
from textgen.errors import TextgenError, UsageError
from textgen.evaluation import stored
from textgen.evaluation.judge import Judged
from textgen.evaluation.perplexity import Passage
from textgen.evaluation.stored import held_out_passage
from textgen.evaluation.yardsticks import count_yardsticks
from textgen.reading.building import build_store
from textgen.runs.folder import Run
from textgen.runs.trained import load
from textgen.text.store import Store, StoredTokens
from textgen.text.vocab import TokenKind
from textgen.training import stored as training_stored
from textgen.training.start import resume, train
from textgen.training.stored import Stored

BY_END = StoreConfig(held_out_by="end")


def store_of_one(story: Path, tokens: TokenKind = "character") -> Store:
    return build_store(story.parent / "store", [story], replace(BY_END, tokens=tokens))


def assert_same_last_weights(ours: Run, theirs: Run) -> None:
    mine, other = (load_file(run.last) for run in (ours, theirs))
    assert mine.keys() == other.keys()
    assert all(torch.equal(mine[key], other[key]) for key in mine)


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("batches", ["sequential", "random"])
@pytest.mark.parametrize("tokens", ["character", "word"])
@pytest.mark.usefixtures("in_folder")
def test_it_learns_as_from_the_text(
    story: Path, counts: bool, batches: str, tokens: TokenKind
) -> None:
    settings = Settings.of(**{**TINY, "counts": counts, "batches": batches, "init_std": None})
    of_kind = replace(settings, corpus=replace(settings.corpus, tokens=tokens))
    from_text = train(story, of_kind, "text")
    from_store = train(store_of_one(story, tokens).folder, settings, "stored")
    assert_same_last_weights(from_store.run, from_text.run)
    held_out = from_store.held_out, from_text.held_out
    assert held_out[0] is not None
    assert held_out[1] is not None
    assert held_out[0].model.tokens == held_out[1].model.tokens
    # Only what stands before the first character held out is another.
    assert held_out[0].model.bits_per_character == pytest.approx(
        held_out[1].model.bits_per_character, abs=0.05
    )
    assert from_store.run.kneser_ney_bits == pytest.approx(
        from_text.run.kneser_ney_bits or 0.0, abs=0.05
    )
    assert not (from_store.run.folder / "text.txt").exists()
    assert from_store.run.config["text_sha256"] == Store(story.parent / "store").sha256


@pytest.mark.usefixtures("in_folder")
def test_it_goes_on_exactly_wherever_the_store_is(story: Path, tiny: Settings) -> None:
    store = store_of_one(story).folder
    whole = train(store, tiny.with_length(epochs=2.0), "whole").run

    class Enough(Exception):
        pass

    def stop(moment: textgen.Moment) -> None:
        if moment.step == whole.plan.total_steps // 2:
            raise Enough

    with pytest.raises(Enough):
        train(store, tiny.with_length(epochs=2.0), "cut", on_step=stop)
    cut = Run(Path("checkpoints") / "cut")
    moved = store.rename(store.with_name("moved"))
    with pytest.raises(TextgenError, match=r"^the store that cut .* --resume cut STORE$"):
        resume(cut)
    assert_same_last_weights(resume(cut, store=moved).run, whole)
    assert Run(cut.folder).store == str(moved)


@pytest.mark.usefixtures("in_folder")
def test_another_store_is_refused(story: Path, tiny: Settings) -> None:
    store = store_of_one(story).folder
    run = train(store, tiny, "one").run
    shutil.rmtree(store)
    story.write_text(make_story(4000, seed=7), "utf-8")
    store_of_one(story)
    with pytest.raises(TextgenError, match="is not the store any more that one learned from"):
        resume(run, tiny)


def test_what_a_store_has_settled_is_not_asked_for_otherwise(story: Path, tiny: Settings) -> None:
    source = Stored(store_of_one(story))
    assert source.fitted(tiny) == tiny
    changed = (
        {"min_count": 2},
        {"max_vocab": 5},
        {"held_out": 0.2},
        {"tokens": "word"},
        {"max_tokens": 5},
        {"layout": "keep"},
    )
    for values in changed:
        flag = next(iter(values)).replace("_", "-")
        with pytest.raises(UsageError, match=rf"^--{flag} is settled when a store is built"):
            source.fitted(Settings.of(**values))


@pytest.mark.usefixtures("in_folder")
def test_what_it_was_built_with_stands_in_the_run(story: Path, tiny: Settings) -> None:
    config = replace(BY_END, min_count=5, max_vocab=30, held_out=0.25)
    store = build_store(story.parent / "store", [story], config).folder
    run = train(store, tiny, "few").run
    corpus = run.settings.corpus
    assert (corpus.min_count, corpus.max_vocab, corpus.held_out) == (5, 30, 0.25)
    assert len(run.vocab) == 31
    again = resume(run, run.settings.with_length(epochs=0.5))
    assert again.held_out is not None
    assert again.held_out.model.tokens == 1000


@pytest.mark.usefixtures("in_folder")
def test_what_is_too_rare_costs_as_much_as_in_a_text(story: Path) -> None:
    text = story.read_text("utf-8")
    config = replace(BY_END, min_count=60)
    store = build_store(story.parent / "store", [story], config)
    ours, theirs = held_out_passage(store), Passage.of(store.vocab, text[3600:], "\n")
    assert ours is not None
    ids = theirs.ids[:]
    np.testing.assert_array_equal(ours.ids[:], ids)
    np.testing.assert_array_equal(ours.unknown_bits(ids), theirs.unknown_bits(ids))
    assert ours.unknown_bits(ids).any()
    written = (store.training.written, store.held_out.written)
    assert "".join(store.text_of(ids) for ids in written) == text
    assert store.occurring[0] == np.count_nonzero(store.training[:] == 0)


def test_only_what_is_asked_for_is_read(
    story: Path, tiny: Settings, in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is learned from, never more is asked for at once than is counted of a block."""
    asked = []
    look_up = StoredTokens.__getitem__

    def noted(tokens: StoredTokens, places: object) -> object:
        found = look_up(tokens, places)  # type: ignore[arg-type]
        if len(tokens) == 60_000:
            asked.append(found.size)
        return found

    story.write_text(make_story(100_000), "utf-8")
    store = build_store(in_folder / "store", [story], replace(BY_END, held_out=0.4)).folder
    monkeypatch.setattr(training_stored, "_MOST_COUNTED", 20_000)
    monkeypatch.setattr(StoredTokens, "__getitem__", noted)
    run = train(store, tiny.with_length(epochs=0.01), "long").run
    assert run.plan.counted == 20_000
    assert max(asked) == 2000


@pytest.mark.usefixtures("in_folder")
def test_all_that_is_held_out_is_judged_from_the_disk(
    story: Path, tiny: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(store_of_one(story).folder, tiny, "one").run
    judged = Judged(load(run.folder))
    whole = judged.figures()
    assert whole.model.tokens == 400
    assert len(judged.remarks()) == 1  # it stands in what was learned, being made of few words
    assert judged.held_out_text == story.read_text("utf-8")[-400:]
    monkeypatch.setattr(stored, "PIECE", 90)
    pieces = Judged(load(run.folder)).figures()
    assert pieces.model.tokens == 400
    assert pieces.network.bits_per_character == pytest.approx(
        whole.network.bits_per_character, abs=0.1
    )
    found = judged.yardsticks().kneser_ney.bits_per_character
    text = story.read_text("utf-8")
    assert found == count_yardsticks(text[:-400], text[-400:]).kneser_ney.bits_per_character


def test_the_commands(story: Path, command: Command) -> None:
    assert command("corpus", "build", "store", story, "--held-out-by", "end")[0] == 0
    tiny = flags(**TINY)
    status, _, err = command("train", "store", "--no-visdom", "--name", "run", *tiny)
    assert status == 0
    assert "store: a store of 3,600 characters to learn from, and 400 held out\n" in err
    shutil.move("store", "elsewhere")
    status, out, _ = command("generate", "run", "--prefix", "老周", "--length", "20")
    assert (status, out[:2]) == (0, "老周")
    status, _, err = command("evaluate", "run")
    assert status == 1
    assert err.startswith("textgen: the store that run learned from is not in ")
    more = ("--epochs", "0.2", "--no-visdom", "--json")
    status, out, _ = command("train", "--resume", "run", "elsewhere", *more)
    assert status == 0
    assert json.loads(out)["held_out_in_training_text"] is None
    status, out, _ = command("evaluate", "run", "--json")
    assert (status, json.loads(out)["tokens"]) == (0, 400)
    assert command("evaluate", "run", story, "--json")[0] == 0
    status, _, err = command("generate", "run", "--prefix", "老周", "--check-copying")
    assert (status, err) == (
        1,
        "textgen: run learned from a store, and this needs a text in memory\n",
    )
    status, _, err = command("train", "elsewhere", story, "--no-visdom")
    assert (status, err.splitlines()[-1].split(":")[0]) == (2, "textgen")
    assert "elsewhere is a store, and a training learns from one alone" in err
    for name in ("show", "report"):
        assert command(name, "run")[0] == 0


def test_the_commands_with_words(story: Path, command: Command) -> None:
    build = ("corpus", "build", "store", story, "--held-out-by", "end", "--tokens", "word")
    assert command(*build, "--min-count", "9999")[0] == 2
    status, _, err = command(*build)
    assert status == 0
    assert "2,656 words to learn from, 297 held out, 39 different ones" in err
    tiny = ("--no-visdom", *flags(**TINY))
    status, _, err = command("train", "store", "--name", "run", *tiny)
    assert status == 0
    assert "store: a store of 2,656 words to learn from, and 297 held out\n" in err
    status, _, err = command("train", "store", "--tokens", "character", *tiny)
    assert status == 2
    assert err.startswith("textgen: --tokens is settled when a store is built, and in store it is")
    assert command("train", "store", "--tokens", "word", "--name", "again", *tiny)[0] == 0
    status, out, _ = command("generate", "run", "--prefix", "老周", "--length", "20")
    assert (status, out[:2]) == (0, "老周")
    more = ("--epochs", "0.2", "--no-visdom", "--json")
    assert command("train", "--resume", "run", *more)[0] == 0
    status, out, _ = command("evaluate", "run", "--json")
    assert (status, json.loads(out)["tokens"]) == (0, 297)
    own = json.loads(out)["kneser_ney_bits_per_character"]
    text = story.read_text("utf-8")
    yardstick = count_yardsticks(text[:-400], text[-400:]).kneser_ney.bits_per_character
    assert own == Run(Path("checkpoints/run")).kneser_ney_bits == pytest.approx(yardstick, abs=0.05)
    status, _, err = command("train", story, "--from", "run", "--tokens", "word", *more)
    assert status == 0
    other = command("corpus", "build", "characters", story)
    assert other[0] == 0
    status, _, err = command("train", "characters", "--tokens", "word", *tiny)
    assert (status, len(err.splitlines())) == (2, 1)
