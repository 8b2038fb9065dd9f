"""A record or a name that is odd costs its own run, and one line."""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import copy_run
from tests.processes import wait_for
from textgen.dashboard.mirror import MirrorThread
from textgen.dashboard.names import ALL_RUNS, plain
from textgen.plots.comparison import comparison_windows
from textgen.plots.run import of_run
from textgen.runs.folder import Run
from textgen.runs.summary import Summary

pytest.importorskip("visdom", reason="visdom is an extra: pip install '.[visdom]'")

from tests.dashboard.attacked import serving

ODD = [
    '{"step": 999, "perplexity": 3.0}',
    '{"step": 999, "epoch": NaN, "perplexity": 3.0}',
    '{"step": 999, "held_out_bits_per_character": 2.0}',
]
NO_ENTRIES = [
    '{"step": 999, "epoch": 9.0, "perplexity": "high"}',
    '{"step": 999, "epoch": "late", "held_out_bits_per_character": 2.0, "seconds": 1}',
    '{"step": 999, "epoch": 9.0, "perplexity": [[3]]}',
    '{"step": 999, "epoch": 9.0, "perplexity": null}',
    '{"step": 999, "epoch": 9.0, "perplexity": 1' + 400 * "0" + "}",
    '{"step": 999, "epoch": 9.0, "sample": 5}',
]
NAMES = ["back\\", "<b>bold", 'it\'s "one"', "x" * 250, "甲" * 80]


def test_an_odd_record_or_name_costs_its_own_run_and_one_line(
    tiny_run: Run, in_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Path.cwd() == in_folder
    good = [copy_run(tiny_run, name) for name in ("good", *NAMES)]
    odd = [copy_run(tiny_run, f"odd {number}") for number in range(len(ODD))]
    for run, lines in (*zip(odd, ODD, strict=True), (good[0], "\n".join(NO_ENTRIES))):
        with run.record.path.open("a", encoding="utf-8") as file:
            file.write(lines + "\n")
    checkpoints = good[0].folder.parent
    (checkpoints / "pipe").mkdir()
    os.mkfifo(checkpoints / "pipe" / "metrics.jsonl")
    with serving(checkpoints / ".visdom") as server:
        subjects = [of_run(run) for run in (*odd, *good)]
        url = f"http://127.0.0.1:{server.port}"
        thread = MirrorThread(url, checkpoints, lambda: subjects)
        thread.start()
        wait_for(lambda: server.has("main", "textgen"))
        for run in good:
            assert server.has(plain(run.name), "perplexity")
        for run in odd:
            assert not server.has(run.name, "perplexity")
            assert caplog.text.count(f"{run.name}/metrics.jsonl is odd") == 1
        _, by_epochs, _ = comparison_windows([Summary(good[0], good[0].record.read())])
        compared = server.ask("/win_data", {"eid": ALL_RUNS, "win": by_epochs.key})
        names = {trace["name"] for trace in json.loads(compared.body)["content"]["data"]}
        assert len(names) == len(good) + 1  # and Kneser-Ney
        assert not any("<" in name.replace("<br>", "") for name in names)
        # One that is mended is drawn.
        mended = odd[0].record.path.read_text("utf-8").replace(ODD[0] + "\n", "")
        odd[0].record.path.write_text(mended, encoding="utf-8")
        wait_for(lambda: server.has(odd[0].name, "perplexity"))
        thread.close()
        assert "No Visdom" not in caplog.text + server.stop()
