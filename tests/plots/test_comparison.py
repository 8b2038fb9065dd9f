"""Runs beside each other: real run folders, whose settings and records differ as they are told."""

import json
import re
from typing import Any

import pytest

from tests.conftest import copy_run
from textgen.plots.comparison import comparison_windows, short_table
from textgen.runs.folder import Run
from textgen.runs.record import Entry
from textgen.runs.summary import Summary

pytestmark = pytest.mark.usefixtures("in_folder")


def variant(run: Run, name: str, bits: float, text: str = "a", **settings: Any) -> Summary:  # noqa: ANN401
    """Return a copy of a run with other settings, learned from another text, as good as told."""
    copy = copy_run(run, name)
    config = copy.config | {"text_sha256": text, "settings": copy.config["settings"] | settings}
    (copy.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    held_out = settings.get("held_out", 0.1) > 0
    entries: list[Entry] = []
    for number in range(3):
        entry: Entry = {"step": number, "epoch": float(number), "tokens": 1, "seconds": 60.0}
        entry["loss"] = bits
        if held_out:
            entry["held_out_bits_per_character"] = bits + 2 - number
        entries.append(entry)
    return Summary(Run(copy.folder), entries)


def labels(runs: list[Summary], key: str) -> dict[str, str]:
    """Return the colours of the curves in the only window whose name begins so, by their names."""
    (window,) = (w for w in comparison_windows(runs) if w.key.startswith(key))
    return {trace["name"]: trace["line"]["color"] for trace in window.data}


def test_labels_are_what_differs_and_a_run_keeps_its_colour(tiny_run: Run) -> None:
    runs = [
        variant(tiny_run, f"run {number}", 5.0 - number / 10, hidden_size=size, seed=seed)
        for number, (size, seed) in enumerate([(256, 0), (256, 0), (512, 0), (256, 1)])
    ]
    before = labels(runs, "held-out-epochs")
    seen = " (100% in the training text)"
    assert [name.replace("\n", " ") for name in before] == [
        f"seed 1{seen}",  # the best first
        f"hidden_size 512{seen}",
        f"run 1{seen}",  # made as most were, and as another was
        f"run 0{seen}",
        "Kneser-Ney",
    ]
    assert len(set(before.values())) == len(before)
    worse = Summary(runs[3].run, variant(tiny_run, "worse", 9.0).entries)
    newer = variant(tiny_run, "newer", 1.0, hidden_size=256, seed=7)
    after = labels([*runs[:3], worse, newer], "held-out-epochs")
    assert after.items() >= before.items()
    assert next(iter(after)) == f"seed 7{seen}"


def test_each_text_by_itself_and_training_where_nothing_was_held_out(tiny_run: Run) -> None:
    runs = [
        variant(tiny_run, "one", 5.0),
        variant(tiny_run, "other", 4.0, text="b"),
        variant(tiny_run, "all learned", 3.0, text="b", held_out=0.0),
    ]
    table, *plots = comparison_windows(runs)
    kinds = [re.sub("-[0-9a-f]{8}$", "", plot.key) for plot in plots]
    of_one = ["held-out-epochs", "held-out-minutes"]
    assert kinds == [*of_one, "training-epochs", "training-minutes", *of_one]  # the newest first
    assert len({plot.key for plot in plots}) == len(plots)
    assert plots[2].data[0]["y"] == [3.0] * 3
    assert plots[0].data[0]["y"] == [6.0, 5.0, 4.0]
    rows = re.sub("<[^>]*>", " ", table.data[0]["content"])
    assert "4.33" in rows  # bits of a loss of 3
    assert f"{runs[0].parameters / 1e3:.0f} k" in rows
    assert rows.count("trigram") == 2


def test_all_that_is_shown_is_escaped_and_nothing_is_no_error(tiny_run: Run) -> None:
    (table,) = comparison_windows([])
    assert "No run yet" in table.data[0]["content"]
    one = variant(tiny_run, "<img src=x onerror=alert(1)>'\"&", 5.0, seed=3)
    two = variant(tiny_run, "two", 5.0, prefix=["<script>alert(1)</script>"])
    runs = [one, two]
    content = comparison_windows(runs, lambda _: "/env/'onclick='x")[0].data[0]["content"]
    for text in (content, short_table(runs, lambda _: "'>", one.run)):
        assert not re.search(r"<(img|script)", text)
        assert "onclick='" not in text
    assert "&lt;img src=x" in content


@pytest.mark.parametrize("count", [1, 10, 25])
def test_any_number_of_runs_can_be_told_apart(tiny_run: Run, count: int) -> None:
    runs = [variant(tiny_run, f"run {n}", 5.0, seed=n) for n in range(count)]
    (window,) = (w for w in comparison_windows(runs) if w.key.startswith("held-out-epochs"))
    looks = {(trace["line"]["color"], trace["line"].get("dash")) for trace in window.data}
    assert len(looks) == len(window.data) == count + 1
    assert window.height >= 19 * count
