import json
import math
from pathlib import Path

import pytest

from textgen.config import Settings
from textgen.errors import TextgenError
from textgen.runs.folder import FORMAT, Run
from textgen.training.start import train


def test_a_run_folder_holds_everything(story: Path, tiny: Settings, in_folder: Path) -> None:
    result = train(story, tiny, name="first")
    run = result.run
    assert run.folder == Path("checkpoints/first")
    assert {path.name for path in run.folder.iterdir()} == {
        *("config.json", "vocab.json", "text.txt", "metrics.jsonl"),
        *("best.safetensors", "last.safetensors", "counts.safetensors"),
    }
    assert Run(in_folder / run.folder).settings == tiny
    assert (run.folder / "text.txt").read_text("utf-8") == story.read_text("utf-8")
    assert result.tokens == run.plan.total_steps * 4 * 16
    assert result.held_out is not None
    assert result.held_out.model.tokens == 400
    entries = run.record.read()
    assert [entry["step"] for entry in entries] == sorted(entry["step"] for entry in entries)
    assert {"perplexity", "learning_rate", "gradient_norm", "tokens_per_second"} <= set(entries[0])
    assert sum("held_out_perplexity" in entry for entry in entries) == 10
    assert entries[-2]["sample"]
    best = min(e.get("held_out_bits_per_character", math.inf) for e in entries)
    held_out_bits = result.held_out.model.bits_per_character
    assert entries[-1]["best_held_out_bits_per_character"] == held_out_bits
    assert held_out_bits == pytest.approx(best, abs=0.02)


@pytest.mark.usefixtures("in_folder")
def test_a_newer_runs_folder_is_told_from_one_that_is_none(story: Path, tiny: Settings) -> None:
    run = train(story, tiny, name="newer").run
    config = run.folder / "config.json"
    values = json.loads(config.read_text("utf-8"))
    assert values["format"] == FORMAT
    older = {name: value for name, value in values.items() if name != "format"}
    config.write_text(json.dumps(older), encoding="utf-8")
    assert Run(run.folder).settings == run.settings  # made before there was a number
    config.write_text(json.dumps(values | {"format": FORMAT + 1}), encoding="utf-8")
    with pytest.raises(TextgenError, match=r"made by a newer textgen .*pip install --upgrade"):
        Run(run.folder)
    config.write_text("[]", encoding="utf-8")
    with pytest.raises(TextgenError, match="is not a run folder"):
        Run(run.folder)
