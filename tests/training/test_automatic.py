"""Much text is read into a store by itself, once, and again when it is another."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import TINY, Command, flags, make_story
from textgen.config import Settings
from textgen.runs.folder import Run
from textgen.text.store import Store
from textgen.training import automatic
from textgen.training.automatic import automatic_store
from textgen.training.start import train


@pytest.fixture
def texts(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(automatic, "LARGE", 10_000)
    folder = in_folder / "texts"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text(make_story(4000, number), "utf-8")
    return folder


def stores() -> list[Path]:
    return sorted(path.parent.parent for path in Path("checkpoints/.stores").glob("*/*/store.json"))


def test_it_is_built_once_and_kept_as_long_as_it_is_needed(texts: Path, command: Command) -> None:
    asked = ("train", texts, "--no-visdom", *flags(**TINY))
    status, _, err = command(*asked, "--name", "one")
    assert status == 0
    assert "they are read into the store " in err
    run = Run(Path("checkpoints/one"))
    assert run.store is not None
    assert Store(Path(run.store)).settings.held_out_by == "end"
    status, _, err = command(*asked, "--name", "two")
    assert status == 0
    assert "These files are in the store " in err
    assert len(stores()) == 1
    (texts / "1.txt").write_text(make_story(4000, 9), "utf-8")
    assert command(*asked, "--name", "three")[0] == 0
    assert len(stores()) == 2
    assert command("train", "--resume", "one", "--epochs", "0.1", "--no-visdom")[0] == 0
    shutil.rmtree("checkpoints/one")
    shutil.rmtree("checkpoints/two")
    (texts / "1.txt").write_text(make_story(4000, 10), "utf-8")
    assert command(*asked, "--name", "four")[0] == 0
    assert len(stores()) == 2  # that of three, and that of four


def test_what_is_read_otherwise_is_another(texts: Path) -> None:
    root = Path("checkpoints")
    found = {
        automatic_store([texts], Settings.of(**values), root)
        for values in (
            {},
            {"tokens": "word"},
            {"min_count": 2},
            {"held_out": 0.2},
            {"layout": "keep"},
        )
    }
    assert len(found) == 5
    assert automatic_store([texts], Settings.of(max_tokens=100), root) is None
    assert automatic_store([texts / "1.txt"], Settings(), root) is not None
    (texts / "1.txt").write_text("一", "utf-8")
    assert automatic_store([texts / "1.txt"], Settings(), root) is None


@pytest.mark.usefixtures("texts")
def test_of_words_it_is_one_as_well() -> None:
    run = train("texts", Settings.of(**{**TINY, "tokens": "word"})).run
    assert run.store is not None
    assert Store(Path(run.store)).vocab.kind == run.vocab.kind == "word"


@pytest.mark.usefixtures("texts")
def test_a_training_without_the_command_line_does_the_same(tiny: Settings) -> None:
    run = train("texts", tiny).run
    assert run.store is not None
    assert run.name.startswith("texts-")


def test_of_many_files_whole_ones_are_held_out(texts: Path) -> None:
    for number in range(20):
        (texts / f"{number}.txt").write_text(make_story(1000, number), "utf-8")
    store = automatic_store([texts], Settings(), Path("checkpoints"))
    assert store is not None
    assert Store(store).settings.held_out_by == "file"
