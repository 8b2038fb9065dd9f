"""A run is meant by its name, the beginning of one, its folder, or a checkpoint in it."""

import os
import re
from pathlib import Path

import pytest

from textgen.errors import TextgenError
from textgen.runs.finding import find_folder, is_text, run_folders


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "checkpoints"
    for name in ("红楼梦-1", "红楼梦-12", "story", "story-2", ".new-x"):
        (root / name).mkdir(parents=True)
        (root / name / "config.json").touch()
        (root / name / "best.safetensors").touch()
        (root / name / "text.txt").touch()
    (root / "st").mkdir()  # which is no run
    return root


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("红楼梦-1", "红楼梦-1"),  # exactly, though another begins with it
        ("红楼梦-12", "红楼梦-12"),
        ("story-", "story-2"),
        ("story", "story"),
        ("story/best.safetensors", "story"),
    ],
)
def test_what_is_meant_by_a_name(root: Path, name: str, found: str) -> None:
    assert find_folder(root, name).name == found
    assert find_folder(root, str(root / name)).name == found if name != "story-" else True
    assert not is_text(root, name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("红", "2 runs in .* begin with 红: 红楼梦-1, 红楼梦-12; write more of it"),
        ("stroy", "there is no run stroy in .*; did you mean story( or story-2)?"),
        ("红楼夢-12", "did you mean '红楼梦-12'"),
        ("无", "there is no run 无 in .*; there are: "),
        (".new", "there is no run .new"),
    ],
)
def test_what_is_said_of_a_name_that_is_none(root: Path, name: str, said: str) -> None:
    with pytest.raises(TextgenError, match=said):
        find_folder(root, name)


def test_without_a_name_it_is_the_newest(root: Path, tmp_path: Path) -> None:
    newest = root / "story" / "last.safetensors"
    newest.touch()
    os.utime(newest, ns=(0, newest.stat().st_mtime_ns + 10**9))
    assert find_folder(root).name == "story"
    with pytest.raises(TextgenError, match=r"there is no run in .* yet"):
        find_folder(tmp_path / "nowhere")


def test_hidden_folders_are_no_runs(root: Path) -> None:
    assert [path.name for path in run_folders(root)] == [
        "story",
        "story-2",
        "红楼梦-1",
        "红楼梦-12",
    ]


def test_a_text_is_told_from_a_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("novel.txt").touch()
    Path("novels").mkdir()
    texts = ("novel.txt", "novels", str(root / "story" / "text.txt"))
    assert all(is_text(root, name) for name in texts)
    assert not any(is_text(root, name) for name in ("story", "nothing", "stor"))


def test_a_folder_that_is_none_is_told_by_who_opens_it(root: Path) -> None:
    assert re.fullmatch("st", find_folder(root, str(root / "st")).name)
