from pathlib import Path

import pytest

from textgen.runs.folder import Run
from textgen.runs.record import Entry
from textgen.runs.summary import Summary, size_of


def entry(bits: float, network: float, seconds: float = 60.0) -> Entry:
    return {
        "held_out_bits_per_character": bits,
        "network_bits_per_character": network,
        "seconds": seconds,
    }


def test_the_figures_are_those_of_one_evaluation(tiny_run: Run) -> None:
    """Of the best one, though another had a better network."""
    summary = Summary(tiny_run, [entry(5.0, 6.0), entry(4.0, 5.5), entry(4.5, 5.0, 120.0), {}])
    assert (summary.bits, summary.network_bits) == (4.0, 5.5)
    assert summary.static_bits is None
    assert summary.minutes == 2.0
    assert summary.curve == [(1.0, 5.0), (1.0, 4.0), (2.0, 4.5)]


def test_what_was_judged_at_the_end_counts_until_there_is_a_better_one(tiny_run: Run) -> None:
    end: Entry = {"best_held_out_bits_per_character": 4.2, "best_network_bits_per_character": 5.2}
    entries = [entry(4.0, 5.5), end]
    assert Summary(tiny_run, entries).bits == 4.2
    assert Summary(tiny_run, entries).network_bits == 5.2
    assert Summary(tiny_run, [*entries, entry(4.3, 5.0)]).bits == 4.2  # it was trained for longer
    assert Summary(tiny_run, [*entries, entry(4.1, 5.0)]).network_bits == 5.0


def test_what_is_no_number_was_not_measured(tiny_run: Run) -> None:
    summary = Summary(tiny_run, [entry(float("nan"), float("inf"), 1.0)])
    assert (summary.bits, summary.network_bits, summary.curve) == (None, None, [])
    nothing = Summary(tiny_run, [])
    assert (nothing.minutes, nothing.bits, nothing.sample) == (None, None, None)


def test_size_and_age(tmp_path: Path, tiny_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"12345")
    (tmp_path / "c").symlink_to(tmp_path / "a" / "b")
    assert size_of(tmp_path) == 5
    monkeypatch.setattr("time.time", lambda: tiny_run.last.stat().st_mtime + 30)
    assert 29 < Summary.of(tiny_run).age < 31
