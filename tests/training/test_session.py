import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import textgen
from tests.conftest import TINY, flags, make_story
from tests.processes import killing
from tests.training.same import assert_same
from textgen.config import Cell, Settings
from textgen.errors import Interrupted, TextgenError, UsageError
from textgen.evaluation.mixture import Figures, evaluate_text
from textgen.evaluation.sample import Sample
from textgen.interrupts import STOP_SIGNALS
from textgen.runs.checkpoint import load_weights
from textgen.runs.finding import find_run
from textgen.runs.folder import Run
from textgen.runs.weights import read
from textgen.training import judging, session
from textgen.training.loop import norm_of
from textgen.training.start import resume, train


def bits(run: Run) -> list[float]:
    return [
        entry["held_out_bits_per_character"]
        for entry in run.record.read()
        if "held_out_perplexity" in entry
    ]


def test_it_learns_what_there_is_to_learn(story: Path, in_folder: Path) -> None:
    settings = Settings.of(**{**TINY, "epochs": 12.0, "hidden_size": 32, "learning_rate": 0.03})
    result = train(story, settings)
    assert result.held_out is not None
    assert result.run.trigram_bits is not None
    assert result.held_out.model.bits_per_character < result.run.trigram_bits
    assert in_folder.name


@pytest.mark.parametrize("batches", ["sequential", "random"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.usefixtures("in_folder")
def test_a_killed_training_resumes_exactly(story: Path, batches: str, optimizer: str) -> None:
    """After kill -9 in the middle, a resume makes every number as if nothing had happened."""
    chosen = {**TINY, "epochs": 3.0, "batches": batches, "optimizer": optimizer, "dropout": 0.3}
    whole = train(story, Settings.of(**chosen), name="whole").run
    evaluate_every = whole.plan.evaluate_every
    arguments = (str(story), "--no-visdom", *flags(**chosen, name="killed"))
    record = Path("checkpoints/killed/metrics.jsonl")
    with killing(
        subprocess.Popen(
            [sys.executable, "-m", "textgen", "train", *arguments], stderr=subprocess.DEVNULL
        )
    ) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if record.exists() and record.read_bytes().count(b"\n") > 2 * evaluate_every:
                break
            time.sleep(0.01)
    killed = find_run(Path("checkpoints"), "killed")
    with record.open("a", encoding="utf-8") as file:
        file.write('{"step": 9999, "perp')  # what a crash in the middle of a write leaves
    resume(killed)
    assert_same(killed, whole)


@pytest.mark.usefixtures("in_folder")
def test_a_training_whose_last_batch_has_fewer_rows_goes_on(story: Path) -> None:
    settings = Settings.of(**{**TINY, "batch_size": 5, "batches": "random", "epochs": 1.0})
    result = train(story, settings)
    assert load_file(result.run.last)["state.0"].shape[1] < 5
    assert resume(result.run, settings).tokens == 2 * result.tokens


@pytest.fixture
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small texts taken for long ones."""
    monkeypatch.setattr("textgen.evaluation.sample.NOVEL", 300)
    monkeypatch.setattr("textgen.evaluation.sample.LATELY", 5)
    monkeypatch.setattr("textgen.training.recipe.JUDGED", 20)
    monkeypatch.setattr("textgen.training.recipe._LEAST_COUNTED", 1000)
    monkeypatch.setattr("textgen.training.recipe._MOST_COUNTED", 1000)
    monkeypatch.setattr("textgen.training.start._SOON_COUNTED", 300)


@pytest.mark.usefixtures("in_folder", "_long")
@pytest.mark.parametrize("at", [1, 10])  # the first one, and that of the last step
def test_a_stop_in_an_evaluation_is_made_up_for_exactly(
    story: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.of(**{**TINY, "epochs": 2.0, "patience": 0})
    result = train(story, settings, name="whole")
    whole = result.run
    assert whole.kneser_ney_bits is not None
    judged = [e["held_out_tokens"] for e in whole.record.read() if "held_out_tokens" in e]
    on_the_way, at_the_end = Sample.on_the_way(400, 20), Sample.at_the_end(400, 20)
    assert judged == [len(on_the_way.places)] * 10
    assert whole.record.read()[-1]["best_held_out_tokens"] == len(at_the_end.places) < 400
    calls = 0

    def stopped(*arguments: Any) -> Figures:  # noqa: ANN401
        nonlocal calls
        calls += 1
        if calls == at:
            signal.raise_signal(signal.SIGINT)
        return evaluate_text(*arguments)

    monkeypatch.setattr("textgen.training.judging.evaluate_text", stopped)
    with pytest.raises(Interrupted, match="everything is saved"):
        train(story, settings, name="stopped")
    run = find_run(Path("checkpoints"), "stopped")
    assert read(run.last)[1]["pending"] is not None
    resume(run)
    assert_same(run, whole)
    run = find_run(Path("checkpoints"), "stopped")
    assert run.kneser_ney_bits == whole.kneser_ney_bits
    counted = textgen.load("stopped").learned
    run.counts.unlink()
    again = textgen.load("stopped").learned
    assert counted is not None
    assert again is not None
    for one, other in zip(counted.histories.followers, again.histories.followers, strict=True):
        assert np.array_equal(one.counts, other.counts)


@pytest.mark.usefixtures("in_folder", "_long")
@pytest.mark.parametrize("at", [1, 3])
def test_who_asks_twice_is_told_what_is_given_up_and_what_is_kept(
    story: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def stopped(tensors: Iterator[torch.Tensor]) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == at:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return norm_of(tensors)

    monkeypatch.setattr(session, "norm_of", stopped)  # before it saves
    told = {
        1: r"\d+ steps are given up, since there is no checkpoint yet; begin anew",
        3: r"\d+ of \d+ steps are given up, and the checkpoint of \d+ s ago is kept; go on",
    }
    settings = Settings.of(**{**TINY, "epochs": 2.0, "patience": 0})
    with pytest.raises(
        Interrupted, match=f"^stopped at once: {told[at]} with: textgen train --resume twice$"
    ):
        train(story, settings, name="twice")
    run = find_run(Path("checkpoints"), "twice")
    assert run.last.exists() == (at == 3)
    resume(run)
    assert "best_step" in run.record.read()[-1]


@pytest.mark.usefixtures("in_folder", "_long")
def test_a_stop_while_the_end_is_judged_loses_that_only(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: Any) -> Figures:  # noqa: ANN401
        signal.raise_signal(signal.SIGINT)
        return evaluate_text(*arguments)

    def load_then_stop(*arguments: Any) -> int:  # noqa: ANN401
        patched.setattr(judging, "evaluate_text", stopped)
        return load_weights(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(judging, "load_weights", load_then_stop)
        with pytest.raises(Interrupted, match="the training is complete and saved, and is judged"):
            train(story, Settings.of(**TINY), name="short")
    assert textgen.evaluate("short")[0].bits_per_character > 0
    run = find_run(Path("checkpoints"), "short")
    assert resume(run).held_out is not None
    assert "best_step" in run.record.read()[-1]
    with pytest.raises(TextgenError, match="short is complete"):
        resume(run)


# SIGTERM is caught as they are: test_interrupts.py has all of them.
@pytest.mark.parametrize("stop", [s for s in STOP_SIGNALS if s != signal.SIGTERM])
@pytest.mark.usefixtures("in_folder")
def test_ctrl_c_saves_and_says_how_to_go_on(story: Path, stop: signal.Signals) -> None:
    arguments = flags(**{**TINY, "epochs": 5000, "patience": 0, "name": "long"})
    record = Path("checkpoints/long/metrics.jsonl")
    with killing(
        subprocess.Popen(
            [sys.executable, "-m", "textgen", "train", str(story), *arguments, "--no-visdom"],
            stderr=subprocess.PIPE,
            text=True,
        )
    ) as process:
        while not record.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(stop)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    last_line = errors.strip().splitlines()[-1]
    assert "everything is saved; go on with: textgen train --resume long" in last_line
    assert find_run(Path("checkpoints"), "long").last.exists()


@pytest.mark.usefixtures("in_folder")
def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(story: Path) -> None:
    settings = Settings.of(**{**TINY, "epochs": 3.0})
    run = train(story, settings, name="good").run
    good = load_file(run.last)
    wild = Settings.of(
        **{**TINY, "epochs": 3.0, "optimizer": "sgd", "learning_rate": 1e30, "clip": 1e30}
    )
    wild = replace(wild, training=replace(wild.training, schedule="constant", warmup=0.0))
    with pytest.raises(TextgenError, match=r"at step .* there is no checkpoint yet"):
        train(story, wild, name="wild")
    folder = Path("checkpoints/wild")
    assert not (folder / "last.safetensors").exists()
    assert all(math.isfinite(e["perplexity"]) for e in Run(folder).record.read())
    assert all(torch.equal(good[name], value) for name, value in load_file(run.last).items())


@pytest.mark.usefixtures("in_folder")
def test_early_stop(tmp_path: Path) -> None:
    text = tmp_path / "small.txt"
    text.write_text(make_story(900, seed=1)[:800] + "龘靐齉爩鱻麤灪龖" * 12, encoding="utf-8")
    settings = Settings.of(
        **{**TINY, "epochs": 300.0, "learning_rate": 0.05, "evaluate_every": 20, "patience": 3}
    )
    result = train(text, settings, name="early")
    found = bits(result.run)
    assert len(found) == found.index(min(found)) + 1 + 3
    assert result.held_out is not None
    assert result.held_out.model.bits_per_character == pytest.approx(min(found), abs=0.1)
    with pytest.raises(TextgenError, match="early is complete"):
        resume(result.run)


@pytest.mark.usefixtures("in_folder")
def test_a_complete_run_can_be_trained_for_longer(story: Path) -> None:
    tiny = Settings.of(**{**TINY, "patience": 0, "epochs": 0.5})
    run = train(story, tiny, name="short").run
    steps = run.plan.total_steps
    with pytest.raises(TextgenError, match="short is complete"):
        resume(run)
    result = resume(run, tiny)
    assert result.tokens == 2 * steps * 64
    slower = replace(run.settings, training=replace(run.settings.training, learning_rate=1e-4))
    assert resume(run, slower).tokens == 3 * steps * 64
    assert Run(run.folder).settings.training.learning_rate == 1e-4
    other_shape = replace(tiny, training=replace(tiny.training, batch_size=2, num_steps=8))
    assert resume(Run(run.folder), other_shape).tokens > result.tokens
    with pytest.raises(UsageError, match="cannot change"):
        resume(run, replace(tiny, corpus=replace(tiny.corpus, held_out=0.2)))
    with pytest.raises(TextgenError, match="of another model"):
        resume(run, replace(tiny, model=replace(tiny.model, hidden_size=17)))


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_models_load_each_others_checkpoints(story: Path, cell: Cell) -> None:
    tiny = Settings.of(**{**TINY, "cell": cell, "epochs": 0.5})
    scratch = replace(tiny, model=replace(tiny.model, model="scratch"))
    run = train(story, scratch, name="ours").run
    by_scratch = textgen.evaluate(textgen.load("ours"))
    config = json.loads((run.folder / "config.json").read_text("utf-8"))
    config["settings"]["model"] = "nn"
    (run.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    loaded = textgen.load("ours")
    assert isinstance(loaded.model, textgen.RNNModel)
    by_nn = textgen.evaluate(loaded)
    assert by_nn[0].bits_per_character == pytest.approx(by_scratch[0].bits_per_character, abs=1e-5)
    resume(Run(run.folder), tiny)  # and its optimiser's state fits as well


@pytest.mark.usefixtures("in_folder")
def test_nothing_need_be_held_out(story: Path, tiny: Settings) -> None:
    settings = replace(tiny, corpus=replace(tiny.corpus, held_out=0.0))
    result = train(story, settings, name="all")
    assert result.held_out is None
    assert not result.run.best.exists()
    assert textgen.load("all").step == result.run.plan.total_steps


@pytest.mark.usefixtures("in_folder")
def test_minutes_become_steps(story: Path) -> None:
    settings = Settings.of(**{**TINY, "epochs": None, "minutes": 0.02})
    result = train(story, settings, name="brief")
    assert result.run.plan.total_steps == result.tokens // 64 > 0


@pytest.mark.usefixtures("in_folder")
def test_words(story: Path) -> None:
    result = train(story, Settings.of(**{**TINY, "tokens": "word", "min_count": 2}), name="words")
    assert result.held_out is not None
    assert result.held_out.model.tokens < 400
    assert result.run.vocab.kind == "word"
