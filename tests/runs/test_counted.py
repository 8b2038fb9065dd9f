"""What was counted, in a file: with it, or with the text, a run writes the same."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import textgen
from tests.conftest import copy_run
from tests.counts.plain import make_learned
from textgen.config import GenerationConfig, Settings
from textgen.counts import learned
from textgen.counts.experts import Form, form_for
from textgen.counts.learned import Learned
from textgen.errors import TextgenError
from textgen.runs.counted import load_counts, save_counts
from textgen.runs.folder import Run
from textgen.text.vocab import TokenIds
from textgen.training.start import resume, train

V = 7


@pytest.fixture
def run(tiny_run: Run, in_folder: Path) -> Run:
    assert in_folder.is_dir()
    return copy_run(tiny_run, "tale")


def written(run: Run) -> str:
    return "".join(textgen.generate(run.folder, "老周", GenerationConfig(length=60, seed=1)))


def ids(count: int) -> TokenIds:
    return np.random.default_rng(0).integers(V, size=count, dtype=np.int32)


@pytest.mark.parametrize("count", [0, 1, 300])
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, count: int) -> None:
    counted = make_learned(count, V)
    save_counts(tmp_path / "counts.safetensors", counted)
    loaded = load_counts(tmp_path / "counts.safetensors", V)
    assert np.array_equal(loaded.frequencies, counted.frequencies)
    assert loaded.form == counted.form
    recent = ids(90).reshape(10, 9)
    pair = loaded.histories, counted.histories
    for which, numbers in enumerate(zip(*(one.find(recent) for one in pair), strict=True), start=1):
        assert np.array_equal(*numbers)
        one, other = (histories.followed(which, numbers[0]) for histories in pair)
        assert np.array_equal(one.keys(V), other.keys(V))
        assert np.array_equal(one.counts, other.counts)


@pytest.mark.parametrize("kept", [0, 7, 500, -1])
def test_a_damaged_file_is_named(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "counts.safetensors"
    save_counts(path, Learned.of(ids(300), V))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(TextgenError, match=r"counts.safetensors is damaged: remove it"):
        load_counts(path, V)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("1.first", lambda first: first + 1),
        ("2.first", lambda first: first[::-1]),
        ("2.first", lambda first: -first),
        ("1.first", lambda first: first.astype(np.float32)),
        ("2.tokens", lambda tokens: tokens + V),
        ("2.tokens", lambda tokens: -tokens - 1),
        ("1.tokens", lambda tokens: tokens[:, None]),
        ("3.counts", lambda counts: -counts),
        ("skip1.counts", lambda counts: counts[1:]),
        ("skip1.first", lambda first: first[:-1]),
        ("frequencies", lambda shares: shares * 1e200),
        ("frequencies", lambda shares: shares * np.nan),
        ("frequencies", lambda shares: shares * 0),
    ],
)
def test_nothing_is_looked_up_that_is_not_there(
    tmp_path: Path, name: str, change: Callable[[Any], Any]
) -> None:
    path = tmp_path / "counts.safetensors"
    save_counts(path, make_learned(300, V))
    arrays = load_file(path)
    save_file(arrays | {name: np.ascontiguousarray(change(arrays[name]))}, path)
    with pytest.raises(TextgenError, match=r"counts.safetensors is damaged: remove it"):
        load_counts(path, V)


def test_a_file_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.safetensors"
    save_counts(path, Learned.of(ids(300), V))
    with pytest.raises(TextgenError, match="of another vocabulary"):
        load_counts(path, V + 1)


@pytest.mark.parametrize("gone", ["text.txt", "counts.safetensors"])
def test_one_of_the_two_is_enough(run: Run, gone: str, caplog: pytest.LogCaptureFixture) -> None:
    before = written(run)
    (run.folder / gone).unlink()
    assert written(run) == before
    assert caplog.messages == []


@pytest.mark.usefixtures("in_folder")
def test_a_run_from_before_histories_skipped_writes_and_goes_on(
    story: Path, tiny: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(learned, "form_for", lambda *text: Form(form_for(*text).longest))
        run = train(story, tiny, "old").run
        text = written(run)
    assert load_counts(run.counts, len(run.vocab)).form.skips == 0
    path = run.folder / "config.json"
    path.write_text(json.dumps(run.config | {"format": 2}), encoding="utf-8")
    assert written(run) == text
    run.counts.unlink()  # what text.txt says is counted as it was
    assert written(run) == text
    again = resume(Run(run.folder), tiny)
    assert again.run.plan.total_steps > run.plan.total_steps


def test_without_both_the_network_writes_alone(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    trained = textgen.load(run.folder)
    config = GenerationConfig(length=60, seed=1)
    alone = "".join(textgen.generate(replace(trained, learned=None), "老周", config))
    assert written(run) != alone
    for name in ("text.txt", "counts.safetensors"):
        (run.folder / name).unlink()
    with caplog.at_level(logging.WARNING):
        assert written(run) == alone
    (message,) = caplog.messages
    assert message.startswith("tale has neither counts.safetensors nor text.txt")


def test_another_text_than_was_learned_is_not_gone_on_with(run: Run) -> None:
    path = run.folder / "text.txt"
    path.write_text(path.read_text("utf-8").replace("老周", "老王", 1), encoding="utf-8")
    before = run.last.read_bytes()
    with pytest.raises(TextgenError, match=r"text.txt is not the text any more that tale was"):
        resume(run, run.settings.with_length(epochs=1))
    assert run.last.read_bytes() == before
    assert written(run)  # its counts are those of what was learned
    run.counts.unlink()
    with pytest.raises(TextgenError, match="is not the text any more"):
        textgen.load(run.folder)
