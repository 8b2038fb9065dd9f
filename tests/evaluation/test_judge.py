"""A trained model, judged: both texts are read once, however much is asked."""

from collections import Counter
from pathlib import Path

import pytest

import textgen
from tests.conftest import Command
from textgen.config import GenerationConfig
from textgen.evaluation.judge import Judged
from textgen.runs.folder import Run
from textgen.runs.trained import load


def test_every_text_is_read_once(
    command: Command, sample_run: Run, story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: Counter[str] = Counter()
    read_bytes = Path.read_bytes

    def counted(path: Path) -> bytes:
        opened[path.name] += 1
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", counted)
    asked = ("--dynamic", "--heatmap", "page.html", "--json")
    status, _, _ = command("evaluate", sample_run.folder, story, *asked)
    assert status == 0
    assert opened["text.txt"] == opened[story.name] == 1


def test_a_run_goes_by_its_folder_or_its_name(sample_run: Run, in_folder: Path) -> None:
    trained = load(sample_run.folder)
    expected = textgen.evaluate(trained)
    config = GenerationConfig(length=20, seed=1)
    text = "".join(textgen.generate(trained, "庞师傅", config))
    assert len(text) == 20
    (in_folder / "checkpoints").symlink_to(sample_run.folder.parent)
    for name in (sample_run.folder, str(sample_run.folder), sample_run.name):
        assert textgen.load(name).step == trained.step
        assert textgen.evaluate(name) == expected
        assert "".join(textgen.generate(name, "庞师傅", config)) == text
    with pytest.raises(textgen.TextgenError, match="there is no run nobody"):
        textgen.generate("nobody", "庞师傅")


def test_a_part_of_a_text_is_expected_as_in_the_whole(sample_run: Run) -> None:
    judged = Judged(load(sample_run.folder))
    tokens, part = judged.predictions(most=50)
    everything, whole = judged.predictions(most=10**6)
    assert tokens == everything[:50]
    assert len(everything) == len(judged.text)
    assert part.bits == pytest.approx(whole.bits[:50], abs=1e-4)
    assert whole.bits.sum() / len(judged.text) == pytest.approx(
        judged.figures().model.bits_per_character, abs=1e-4
    )
