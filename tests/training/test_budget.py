"""Minutes are a budget: kept by the clock, told, and recorded so that a resume is exact."""

import itertools
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import TINY
from tests.training.same import assert_same_weights, without_times
from textgen.config import Settings
from textgen.runs.checkpoint import save_checkpoint
from textgen.runs.folder import Run
from textgen.training import session
from textgen.training.clock import Clock
from textgen.training.start import resume, train


def ticking(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let so many seconds pass from one reading of the clock to the next."""
    times = itertools.count(0.0, seconds)
    monkeypatch.setattr(session, "Clock", lambda: Clock(now=times.__next__))


def but_for_times(run: Run) -> list[dict[str, object]]:
    return without_times([entry for entry in run.record.read() if "glance" not in entry])


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("at", [5, 15])
def test_a_resume_plans_as_was_planned_whatever_its_own_clock_says(
    story: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticking(monkeypatch, 0.02)
    monkeypatch.setattr(session, "_SAVE_SECONDS", 1.0)
    settings = Settings.of(**{**TINY, "epochs": 1000.0, "minutes": 0.1, "dropout": 0.3})
    saved = list[bytes]()

    def keep(path: Path, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        save_checkpoint(path, *arguments, **named)
        if path.name.startswith("last") and not saved and named["position"].step >= at:
            saved.append(path.read_bytes())

    monkeypatch.setattr(session, "save_checkpoint", keep)
    whole = train(story, settings, name="whole").run
    entries = whole.record.read()
    assert len({(entry["total_steps"], entry["span"]) for entry in entries if "span" in entry}) > 3
    assert whole.plan.total_steps == entries[-1]["step"] > at
    killed = Path("checkpoints/killed")
    shutil.copytree(whole.folder, killed)
    (killed / "last.safetensors").write_bytes(saved[0])
    ticking(monkeypatch, 0.5)
    monkeypatch.setattr(session, "_SAVE_SECONDS", 1e9)
    run = resume(Run(killed)).run
    assert but_for_times(run) == but_for_times(whole)
    assert_same_weights(run, whole)


@pytest.mark.usefixtures("in_folder")
def test_minutes_on_top_are_a_budget_of_their_own(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticking(monkeypatch, 0.02)
    settings = Settings.of(**{**TINY, "epochs": 1000.0, "minutes": 0.05, "patience": 0})
    first = train(story, settings, name="twice").run
    done = first.plan.total_steps
    second = resume(Run(first.folder), settings).run
    assert second.plan.total_steps > done
    assert 5.2 < second.record.read()[-1]["spent"] < 6.3
    rates = [e["learning_rate"] for e in second.record.read() if e.get("learning_rate")]
    assert rates[-1] < 0.1 * max(rates)


@pytest.mark.usefixtures("in_folder")
@pytest.mark.parametrize("held_out", [0.0, 0.1])
def test_what_is_shown_changes_nothing(
    story: Path, held_out: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.of(**{**TINY, "held_out": held_out, "dropout": 0.3, "epochs": 0.5})
    plain = train(story, settings, name="plain").run
    monkeypatch.setattr(session, "_GLANCE_SECONDS", 0.0)
    monkeypatch.setattr(session, "_FIRST_GLANCE_SECONDS", 0.0)
    shown = train(story, settings, name="shown").run
    glances = [entry for entry in shown.record.read() if entry.get("glance")]
    assert len(glances) == shown.plan.total_steps
    for entry in glances:
        assert entry["sample"]
        assert ("held_out_bits_per_character" in entry) == (held_out > 0)
    assert but_for_times(shown) == but_for_times(plain)
    for path in plain.folder.glob("*.safetensors"):
        ours, theirs = load_file(shown.folder / path.name), load_file(path)
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.mark.usefixtures("in_folder")
def test_there_is_something_to_see_every_twenty_seconds(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticking(monkeypatch, 0.5)
    settings = Settings.of(**{**TINY, "epochs": 10.0, "evaluate_every": 1000, "patience": 0})
    entries = train(story, settings, name="slow").run.record.read()
    shown = [entry["seconds"] for entry in entries if "sample" in entry]
    assert 0 < shown[0] <= 10
    assert all(later - earlier <= 20 for earlier, later in pairwise(shown))
    assert shown[-1] > 100


@pytest.mark.usefixtures("in_folder")
def test_what_was_asked_and_what_was_spent_is_told(
    story: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ticking(monkeypatch, 0.02)
    caplog.set_level("INFO", "textgen")
    train(story, Settings.of(**{**TINY, "epochs": 1000.0, "minutes": 0.2}), name="timed")
    spent = re.search(r"12 s asked, (\S+) s spent on", caplog.text)
    assert spent is not None
    assert 10.5 < float(spent[1]) <= 12.5
    train(story, Settings.of(**{**TINY, "epochs": 1.0, "minutes": 100.0}), name="counted")
    assert "1 epochs are as many as were to be" in caplog.text
