"""Files of a run that somebody or something has changed: one line, before anything is done."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import textgen
from tests.conftest import ROOT, TINY, Command, copy_run
from textgen.config import Settings
from textgen.errors import TextgenError
from textgen.runs.folder import Run
from textgen.training.start import resume

DEEP = "[" * 100_000 + "]" * 100_000


def change(path: Path, at: str, value: object) -> None:
    """Set a value in a JSON file; at plan.total_steps it is one of plan's."""
    values = part = json.loads(path.read_text("utf-8"))
    *outer, name = at.split(".")
    for one in outer:
        part = part[one]
    part[name] = value
    path.write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize(
    ("at", "value", "told"),
    [
        ("format", "two", 'has "two" as format'),
        ("format", 99, "made by a newer textgen"),
        ("settings", None, "has null as settings"),
        ("settings.colour", "red", "there is no setting called colour"),
        ("settings.hidden_size", "16", 'has "16" as hidden_size'),
        ("settings.hidden_size", True, "has true as hidden_size"),
        ("settings.num_layers", 10**9, "num-layers is 1000000000"),
        ("settings.cell", {}, "has {} as cell"),
        ("settings.prefix", [1], r"has \[1\] as prefix"),
        ("settings.learning_rate", float("nan"), "learning-rate is nan"),
        ("plan", [], r"has \[\] as plan"),
        ("plan.total_steps", -1, "has -1 as total_steps"),
        ("plan.total_steps", 1e400, "has Infinity as total_steps"),
        ("files", [1], "as files"),
        ("versions", 3, "as versions"),
        ("legs", [3], "as legs"),
        ("legs", [{"given": 1}], "has 1 as given"),
        ("held_out_in_training_text", 5, "has 5 as held_out_in_training_text"),
    ],
)
def test_config(tiny_run: Run, at: str, value: object, told: str) -> None:
    run = copy_run(tiny_run, "odd")
    change(run.folder / "config.json", at, value)
    with pytest.raises(TextgenError, match=told) as caught:
        Run(run.folder)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize(
    ("at", "value", "told"),
    [
        ("kind", "letter", 'has "letter" as kind'),
        ("counts", ["a"], "as counts"),
        ("counts.一", "many", "as counts"),
        ("counts.一二", 3, "tokens that are not one character"),
        ("counts.\ud800", 3, "tokens that are no text"),
    ],
)
def test_vocab(tiny_run: Run, at: str, value: object, told: str) -> None:
    run = copy_run(tiny_run, "odd")
    change(run.folder / "vocab.json", at, value)
    with pytest.raises(TextgenError, match=told):
        Run(run.folder)


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("name", ["config.json", "vocab.json"])
@pytest.mark.parametrize("content", [DEEP, "", "{", "[]", "null", '{"format": ' + "9" * 5000 + "}"])
def test_no_json_or_too_much_of_it(tiny_run: Run, name: str, content: str) -> None:
    run = copy_run(tiny_run, "odd")
    (run.folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(TextgenError):
        Run(run.folder)


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"step": 999, "perplexity": 3.0}', "line 1, has no epoch"),
        ('{"step": "one"}', 'line 1, has "one" as step'),
    ],
)
def test_record(tiny_run: Run, line: str, told: str) -> None:
    run = copy_run(tiny_run, "odd")
    run.record.path.write_text(f"{line}\n{DEEP}\n", encoding="utf-8")
    before = run.last.read_bytes()
    with pytest.raises(TextgenError, match=told):
        resume(run, Settings.of(**TINY))
    assert run.last.read_bytes() == before
    assert all(isinstance(entry["step"], int) for entry in run.record.read())


Changes = Callable[[dict[str, Any], dict[str, Any]], object]


def rewrite(path: Path, changes: Changes) -> None:
    tensors = load_file(path)
    with safe_open(path, "numpy") as file:
        metadata = json.loads(file.metadata()["textgen"])
    changes(tensors, metadata)
    save_file(tensors, path, {"textgen": json.dumps(metadata)})


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (lambda _, m: m.pop("step"), "its metadata has no step"),
        (lambda _, m: m.pop("batch"), "its metadata has no batch"),
        (lambda _, m: m.update(step="1"), 'its metadata has "1" as step'),
        (lambda _, m: m.update(best_bits=[]), "as best_bits"),
        (lambda _, m: m.update(best_bits=float("nan")), "NaN as best_bits"),
        (lambda _, m: m.update(pending=0), "has 0 as pending"),
        (lambda _, m: m.update(pending=[1]), r"has \[1\] as pending"),
        (lambda _, m: m.update(pending={"step": 1}), "has no epoch"),
        (lambda t, _: t.update({"state.9": np.zeros(1, np.float32)}), "state in it is not whole"),
        (lambda t, _: t.update({"state.0": np.zeros(1, np.float32)}), "state in it is of other"),
        (lambda t, _: t.update({"model.output.bias": np.zeros(3, np.float32)}), "another model"),
        (lambda t, _: t.update({"gate.other": np.zeros(3, np.float32)}), "another model"),
        (lambda t, _: t.update({"model.output.bias": t["model.output.bias"] * np.nan}), "finite"),
        (lambda t, _: t.update({"model.output.bias": t["model.output.bias"] > 0}), "not float32"),
    ],
)
def test_checkpoint(tiny_run: Run, changes: Changes, told: str) -> None:
    run = copy_run(tiny_run, "odd")
    rewrite(run.last, changes)
    before = run.record.path.read_bytes()
    with pytest.raises(TextgenError, match=told):
        resume(run, Settings.of(**TINY))
    assert run.record.path.read_bytes() == before


def test_a_model_that_the_file_is_not_of_takes_no_memory(tiny_run: Run, in_folder: Path) -> None:
    run = copy_run(tiny_run, "huge")
    change(run.folder / "config.json", "settings.hidden_size", 10**9)
    for go in (lambda: textgen.load("huge"), lambda: resume(Run(in_folder / run.folder))):
        with pytest.raises(TextgenError, match="of another model"):
            go()


def not_finite(tensors: dict[str, Any], _: object) -> None:
    tensors["model.output.bias"][:] = np.nan


@pytest.mark.parametrize(
    "words", [["evaluate"], ["evaluate", "--json"], ["generate", "--prefix", "老"]]
)
def test_weights_that_are_not_finite(tiny_run: Run, command: Command, words: list[str]) -> None:
    run = copy_run(tiny_run, "broken")
    for path in (run.best, run.last):
        rewrite(path, not_finite)
    status, out, errors = command(words[0], "broken", *words[1:])
    assert status == 1
    assert "nan" not in out.lower()
    assert "has weights that are not finite" in errors.splitlines()[-1]


def too_large(tensors: dict[str, Any], _: object) -> None:
    tensors["model.embedding.weight"][:] = 3e38


@pytest.mark.parametrize("name", ["features.weight", "inputs.bias", "out.weight"])
def test_a_gate_that_lacks_something(tiny_run: Run, command: Command, name: str) -> None:
    run = copy_run(tiny_run, "broken")
    rewrite(run.best, lambda tensors, _: tensors.pop(f"gate.{name}"))
    status, _, errors = command("generate", "broken", "--prefix", "老")
    assert status == 1
    assert "are of two trainings" in errors.splitlines()[-1]


def test_weights_that_come_to_no_number(tiny_run: Run, command: Command) -> None:
    run = copy_run(tiny_run, "broken")
    for path in (run.best, run.last):
        rewrite(path, too_large)
    status, _, errors = command("generate", "broken", "--prefix", "老", "--seed", "1")
    assert (status, errors.splitlines()[-1]) == (
        1,
        "textgen: the model computes no numbers: its training went wrong",
    )


@pytest.mark.parametrize("damage", ["finite", "cut"])
def test_damaged_best_weights_are_told_and_the_last_ones_taken(
    tiny_run: Run, command: Command, damage: str
) -> None:
    run = copy_run(tiny_run, "damaged")
    if damage == "cut":
        run.best.write_bytes(run.best.read_bytes()[:-1])
    else:
        rewrite(run.best, not_finite)
    status, out, errors = command("generate", "damaged", "--prefix", "老", "--length", "5")
    assert status == 0
    assert out
    assert "its last weights are taken instead" in errors


def test_a_run_of_format_1_loads(in_folder: Path) -> None:
    """It was made before runs had counts, a limit, a format number and moments by name."""
    shutil.copytree(ROOT / "tests" / "runs" / "format1", in_folder / "checkpoints" / "first")
    trained = textgen.load("first")
    assert trained.run.settings.model.hidden_size == 4
    assert trained.run.settings.corpus.max_vocab == 0
    assert trained.model.get_parameter("output.weight").isfinite().all()
    run = trained.run
    done = trained.run.plan.total_steps
    resume(run, run.settings.with_length(epochs=1.0))
    assert run.record.read()[-1]["step"] > done
