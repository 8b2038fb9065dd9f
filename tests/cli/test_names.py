"""Files, folders and runs whose names are GBK bytes, or look like something else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, TINY, Command, copy_run, flags, make_story
from tests.processes import MOST_SECONDS
from textgen.runs.folder import Run
from textgen.runs.trained import load

NAME = os.fsdecode("完本".encode("gbk"))
"""As unzip leaves it."""


@pytest.fixture
def story_of_bytes(in_folder: Path) -> Path:
    path = in_folder / f"{NAME}.txt"
    try:
        path.write_text(make_story(4000), "utf-8")
    except (OSError, UnicodeError):
        pytest.skip("this file system refuses such names")
    return path


def test_every_command_takes_names_that_are_no_utf_8(
    command: Command, story_of_bytes: Path
) -> None:
    there = ("--checkpoints", NAME)
    asked = ("--no-visdom", "--json", *there, *flags(**TINY))
    status, out, err = command("train", story_of_bytes.name, *asked)
    assert status == 0
    assert "完本.txt: utf-8, 4,000 characters" in err
    name = json.loads(out)["run"]
    assert name.startswith("完本-")
    (folder,) = Path(NAME).iterdir()
    assert folder.name == name
    assert Run(folder).config["files"][0]["path"] == story_of_bytes.name
    # As it comes out of somebody's archive: the run's name is bytes, too.
    folder = folder.rename(Path(NAME) / NAME)
    assert load(folder).run.name == "完本"
    for given in (NAME, folder, "完本"):
        status, out, err = command("generate", given, "--prefix", "老周", "--length", "9", *there)
        assert (status, out[:2], len(out)) == (0, "老周", 12)
    status, out, _ = command("evaluate", NAME, story_of_bytes, *there, "--heatmap", f"{NAME}.html")
    assert status == 0
    assert "完本.txt" in Path(f"{NAME}.html").read_text("utf-8")
    status, out, _ = command("report", "完本", *there)
    assert (status, out.encode("utf-8", "surrogateescape")) == (
        0,
        os.fsencode(folder / "report.html") + b"\n",
    )
    assert "<title>完本</title>" in (folder / "report.html").read_text("utf-8")
    status, _, err = command("train", "--resume", "完本", "--no-visdom", "--epochs", "0.1", *there)
    assert (status, "textgen generate '完本'" in err) == (0, True)
    status, _, err = command("generate", "无", "--prefix", "老周", *there)
    assert (status, err) == (1, "textgen: there is no run 无 in 完本; there are: 完本\n")


def test_bytes_on_a_real_command_line(story_of_bytes: Path, tiny_run: Run) -> None:
    folder = Path(shutil.copytree(tiny_run.folder, os.fsdecode("目录/完本".encode("gbk"))))
    arguments = ["generate", str(folder), "--prefix", "老周", "--out", NAME]
    done = subprocess.run(
        [sys.executable, "-m", "textgen", *map(os.fsencode, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        timeout=MOST_SECONDS,
    )
    assert done.stderr.decode().startswith("完本: 200 characters\n")
    assert story_of_bytes.with_name(NAME).read_text("utf-8").startswith("老周")


@pytest.mark.parametrize("name", ["[完本]小说.txt", "[1].txt", "{a}.txt", "-5度.txt", "--5度.txt"])
def test_names_that_look_like_something_else(command: Command, story: Path, name: str) -> None:
    story.rename(name)
    Path("other.txt").write_text("别的\n", "utf-8")
    status, out, _ = command("corpus", "show", name, "other.txt", "--json")
    assert (status, [Path(file["path"]) for file in json.loads(out)["files"]]) == (
        0,
        [Path(name), Path("other.txt")],
    )
    if name.startswith("-"):
        status, _, err = command("corpus", "show", f"{name}-")
        assert (status, f"{name}- is no option of textgen corpus show" in err) == (2, True)


def test_a_name_of_sixty_wide_characters(command: Command, story: Path) -> None:
    story.rename(f"{'𠀀' * 60}.txt")
    status, out, _ = command("train", f"{'𠀀' * 60}.txt", "--no-visdom", "--json", *flags(**TINY))
    assert status == 0
    name = json.loads(out)["run"]
    assert name.startswith("𠀀" * 50)
    assert command("report", name)[0] == 0


def test_a_run_that_begins_with_a_hyphen(command: Command, tiny_run: Run) -> None:
    shutil.copytree(tiny_run.folder, "checkpoints/-5度")
    assert command("generate", "-5度", "--prefix", "老周")[0] == 0


@pytest.mark.parametrize("words", [("serve",), ("monitor",)])
def test_a_host_that_no_host_can_be_called_is_one_line(
    command: Command, tiny_run: Run, words: tuple[str, ...]
) -> None:
    copy_run(tiny_run, "tale")
    status, _, err = command(*words, "--host", "老" * 100 + ".", "--port", "0")
    assert status == 2
    assert err.splitlines()[-1].endswith("is no name of a host")
