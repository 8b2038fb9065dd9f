import json
import math
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textgen.config import Settings
from textgen.errors import TextgenError, UsageError
from textgen.names import is_plain
from textgen.runs.finding import find_run
from textgen.runs.folder import FORMAT, Run, make_room_for, new_name
from textgen.training.start import train


def test_a_run_folder_holds_everything(story: Path, tiny: Settings, in_folder: Path) -> None:
    result = train(story, tiny, name="first")
    run = result.run
    assert run.folder == Path("checkpoints/first")
    assert {path.name for path in run.folder.glob("[!.]*")} == {
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
    with pytest.raises(TextgenError, match=r"made by a newer textgen .*update textgen"):
        Run(run.folder)
    config.write_text("[]", encoding="utf-8")
    with pytest.raises(TextgenError, match="is not a run folder"):
        Run(run.folder)


# No file's name has half a character, but for bytes that are no UTF-8.
@given(
    st.text(
        st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=90
    )
)
@example("𠀀" * 60)
@example("第一章\u3000开始")
@example("-5度")
@example(".隐藏")
@example("完本".encode("gbk").decode("utf-8", "surrogateescape"))
@example("\x1b[31m")
@example("\U0002ebf0")
def test_a_name_that_the_program_makes_is_one_that_it_takes(stem: str) -> None:
    name = new_name(Path(f"{stem}.txt"), datetime(2026, 11, 26, 14, 30))  # noqa: DTZ001
    assert name.endswith("-20261126-143000")
    assert is_plain(name)
    with TemporaryDirectory() as folder:
        make_room_for(Path(folder), name)
        (Path(folder) / name).mkdir()
        (Path(folder) / f"{name}.json").touch()  # as Visdom keeps what is drawn of it
        with pytest.raises(TextgenError, match="not a run folder"):  # found, and nothing in it
            find_run(Path(folder), name)
        with pytest.raises(TextgenError, match="exists already"):
            make_room_for(Path(folder), name)


@pytest.mark.parametrize("name", ["a/b", "..", ".a", "-a", " ", "a\n", "\x1b[31m", "字" * 84])
def test_a_name_that_would_make_trouble_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        make_room_for(tmp_path, name)
