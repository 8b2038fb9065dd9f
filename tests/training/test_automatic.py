"""Much text is read into a store by itself, once, and again when it is another."""

import json
import os
import shutil
from hashlib import file_digest
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TINY, Command, flags, make_story
from textgen.config import Settings
from textgen.errors import TextgenError
from textgen.reading import fingerprints
from textgen.reading.building import build_store
from textgen.reading.fingerprints import Fingerprint
from textgen.reading.provisional import File
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


def found(path: Path) -> Path:
    store = automatic_store([path], Settings(), Path("checkpoints"))
    assert store is not None
    return store


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


def test_what_was_changed_and_changed_back_is_the_same_again(texts: Path) -> None:
    first = found(texts)
    assert found(texts) == first
    before = (texts / "1.txt").read_bytes()
    (texts / "1.txt").write_text(make_story(4000, 9), "utf-8")
    second = found(texts)
    assert stores() == [second.parent]  # no run has learned from the first one
    (texts / "1.txt").write_bytes(before)
    assert found(texts) == first
    assert stores() == [first.parent]


def test_what_holds_the_same_has_the_same_store(texts: Path) -> None:
    first = found(texts)
    for path in texts.iterdir():
        os.utime(path, (0, 0))
    assert found(texts) == first
    copy = Path(shutil.copytree(texts, "copy"))
    assert found(copy) == first
    moved = texts.rename("moved")
    assert found(moved) == first
    (moved / "1.txt").rename(moved / "1a.txt")
    assert found(moved) == first
    (moved / "1a.txt").rename(moved / "9.txt")  # now it stands behind the others
    assert found(moved) != first
    assert len(stores()) == 2  # the copy has the first one
    (copy / "1.txt").write_text(make_story(4000, 9), "utf-8")
    found(copy)
    assert first.parent not in stores()


def test_size_and_time_may_be_those_of_before(texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "_SETTLED_SECONDS", 0.0)
    first, path = found(texts), texts / "1.txt"
    before = path.stat()
    text = path.read_text("utf-8")
    path.write_text(text[::-1], "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert found(texts) != first


def test_what_nobody_has_touched_is_not_hashed_again(
    texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "_SETTLED_SECONDS", 0.0)
    first, hashed = found(texts), []

    def noted(file: Any, name: str) -> object:  # noqa: ANN401
        hashed.append(Path(file.name).name)
        return file_digest(file, name)

    monkeypatch.setattr(fingerprints, "file_digest", noted)
    assert found(texts) == first
    assert hashed == []
    os.utime(texts / "2.txt", (0, 0))
    assert found(texts) == first
    assert hashed == ["2.txt"]
    monkeypatch.setattr(fingerprints, "_SETTLED_SECONDS", 1000.0)  # as if just written
    assert found(texts) == first
    assert hashed == ["2.txt", "0.txt", "1.txt", "2.txt"]


@pytest.mark.parametrize("damaged", ["", "[", "{}", "[1]", '[{"paths": [], "files": [1]}]'])
def test_what_is_remembered_may_be_damaged(texts: Path, damaged: str) -> None:
    first = found(texts)
    (first.parent / "files.json").write_text(damaged, "utf-8")
    assert found(texts) == first
    assert json.loads((first.parent / "files.json").read_text("utf-8"))[0]["paths"] == [
        str(texts.absolute())
    ]


def test_a_file_that_changes_between_hashing_and_reading(
    texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: Any) -> Store:  # noqa: ANN401
        (texts / "1.txt").write_text(make_story(4000, 9), "utf-8")
        return build_store(*arguments)

    monkeypatch.setattr(automatic, "build_store", late)
    with pytest.raises(TextgenError, match=r"1\.txt changed while it was read"):
        found(texts)
    assert stores() == []


def test_what_somebody_else_builds_is_left_alone(texts: Path) -> None:
    theirs = Path("checkpoints/.stores/theirs")
    (theirs / ".texts-12345678.part").mkdir(parents=True)
    found(texts)
    assert theirs.exists()
    os.utime(theirs, (0, 0))  # they never came to an end
    (texts / "1.txt").write_text(make_story(4000, 9), "utf-8")
    found(texts)
    assert not theirs.exists()


def test_a_file_that_cannot_be_read_has_no_fingerprint(tmp_path: Path) -> None:
    gone = File(tmp_path / "gone.txt", 0, named=False)
    assert fingerprints.fingerprints([gone]) == [Fingerprint(str(gone.path), (), "")]


def test_what_is_read_otherwise_is_another(texts: Path) -> None:
    root = Path("checkpoints")
    different = {
        automatic_store([texts], Settings.of(**values), root)
        for values in (
            {},
            {"tokens": "word"},
            {"min_count": 2},
            {"held_out": 0.2},
            {"layout": "keep"},
        )
    }
    assert len(different) == 5
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
