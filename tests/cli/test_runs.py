"""Runs at a glance, beside each other; renamed, removed, given away, repeated."""

import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import TINY, Command, copy_run, flags, make_story
from tests.processes import MOST_SECONDS
from textgen.cli.settings_file import to_toml
from textgen.cli.shown import shown_age, shown_size
from textgen.config import Settings
from textgen.files import write_atomically
from textgen.runs.differences import shown
from textgen.runs.folder import Run
from textgen.runs.lock import locked


@pytest.fixture
def runs(tiny_run: Run, in_folder: Path, story: Path) -> list[Run]:
    """Two runs that differ in a setting, in the text's name, and in their figures."""
    assert story.parent == in_folder
    first, second = copy_run(tiny_run, "tale"), copy_run(tiny_run, "故事")
    for path in first.folder.glob("*.safetensors"):
        os.utime(path, (0, 0))  # the second one is the newer one
    for path in second.folder.glob("*.safetensors"):
        os.utime(path, (86_400, 86_400))
    config = second.config | {"files": [{"path": "书/第一回.txt"}, {"path": "b.txt"}]}
    config["settings"] = config["settings"] | {"clip": math.inf, "seed": 7}
    write_atomically(second.folder / "config.json", json.dumps(config).encode())
    second.record.append(
        {"step": 99, "seconds": 90.0, "best_held_out_bits_per_character": 0.125, "epoch": 2.0}
    )
    return [first, Run(second.folder)]


def json_of(output: str) -> dict[str, object]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    (line,) = output.splitlines()
    values: dict[str, object] = json.loads(line, parse_constant=refuse)
    return values


@pytest.mark.usefixtures("runs")
def test_all_runs(command: Command) -> None:
    status, out, err = command("runs", "--sort", "bits")
    head, *lines = out.splitlines()
    assert (status, err) == (0, "")
    assert head.split() == ["name", "text", "size", "minutes", "bits", "trigram", "age"]
    assert [line.split()[0] for line in lines] == ["故事", "tale", "*"]
    assert lines[0].split()[1:3] == ["第一回.txt", "+1"]
    assert "0.125*" in lines[0]  # the end of the story stands in its beginning
    assert "1.5" in lines[0].split()
    names = [line.split()[0] for line in command("runs", "--sort", "name")[1].splitlines()[1:3]]
    assert names == ["tale", "故事"]
    listed = json_of(command("runs", "--json", "--sort", "minutes")[1])["runs"]
    assert isinstance(listed, list)
    assert [one["run"] for one in listed] == ["tale", "故事"]
    assert listed[1]["files"] == ["书/第一回.txt", "b.txt"]
    assert listed[1]["held_out_bits_per_character"] == 0.125


def test_a_run_that_cannot_be_read_does_not_hide_the_others(
    command: Command, runs: list[Run]
) -> None:
    (runs[0].folder / "config.json").write_text("[]")
    status, out, err = command("runs")
    assert (status, out.splitlines()[1].split()[0]) == (0, "故事")
    assert "tale is not a run folder" in err
    shutil.rmtree("checkpoints")
    status, out, err = command("runs")
    assert (status, out) == (0, "")
    assert err == "There is no run in checkpoints yet; make one with: textgen train FILE\n"


@pytest.mark.usefixtures("runs")
def test_one_run(command: Command) -> None:
    status, out, err = command("show", "故")
    assert (status, err) == (0, "")
    assert command("runs", "show", "故事")[1] == out
    assert re.search(r"^clip +inf +1$", out, re.MULTILINE)
    assert re.search(r"^hidden_size +16 +left open$", out, re.MULTILINE)
    assert re.search(r"^as it reads +0\.125$", out, re.MULTILINE)
    assert "stand in the training text" in out
    sample = Run(Path("checkpoints/故事")).record.read()[-3]["sample"]
    assert out.endswith(f"Last sample\n{sample}\n")
    values = json_of(command("show", "故", "--json")[1])
    assert values["sample"] == sample
    assert values["differs"] == {**TINY, "clip": None, "seed": 7} | {"device": "cpu"}
    base = command("show", "base")[1]
    assert "三国" in base or "sanguoyanyi.txt" in base


@pytest.mark.usefixtures("runs")
def test_runs_beside_each_other(command: Command) -> None:
    status, out, err = command("compare", "tale", "故事")
    assert (status, err) == (0, "")
    assert out.startswith("A  tale\nB  故事\n")
    differing = out[out.index("What differs") : out.index("What came out")].splitlines()
    assert [line.split() for line in differing if line] == [
        ["What", "differs"],
        ["setting", "A", "B"],
        ["text", "story.txt", "第一回.txt", "+1"],
        ["clip", "1", "inf"],
        ["seed", "0", "7"],
    ]
    assert re.search(r"^as it reads +\d\.\d{3} +0\.125$", out, re.MULTILINE)
    assert "A: Of the held-out part" in out
    assert "A" in out.splitlines()[-3]
    values = json_of(command("compare", "tale", "故事", "--json")[1])
    assert values["differs"] == {
        "text": ["story.txt", "第一回.txt +1"],
        "clip": [1.0, None],
        "seed": [0, 7],
    }
    assert len(json_of(command("compare", "tale", "--json")[1])["runs"]) == 2  # type: ignore[arg-type]
    shutil.rmtree("checkpoints/tale")
    assert command("compare")[::2] == (
        1,
        "textgen: checkpoints has fewer than two runs to compare: train another one\n",
    )


@pytest.mark.usefixtures("runs")
def test_the_beginning_of_a_name_and_a_checkpoint_are_enough_everywhere(command: Command) -> None:
    asked = ("--prefix", "老周", "--length", "9", "--seed", "1")
    whole = command("generate", "tale", *asked)
    assert whole[0] == 0
    for name in ("t", "checkpoints/tale/best.safetensors", "tale/last.safetensors"):
        assert command("generate", name, *asked) == whole
    assert command("report", "ta", "--output", "page.html")[0] == 0
    asked_to_go_on = command("train", "--resume", "t", "--no-visdom")
    assert "tale is complete" in asked_to_go_on[2]
    status, _, err = command("generate", "tael", *asked)
    assert (status, err) == (
        1,
        "textgen: there is no run tael in checkpoints; did you mean tale?\n",
    )


def test_evaluate_takes_the_newest_run_too(command: Command, runs: list[Run]) -> None:
    shutil.rmtree(runs[1].folder)
    assert json_of(command("evaluate", "--json")[1])["tokens"] == 400
    Path("other.txt").write_text(make_story(500, seed=9), "utf-8")
    assert json_of(command("evaluate", "other.txt", "--json")[1])["tokens"] == 500


@pytest.mark.usefixtures("runs")
def test_a_run_gets_another_name(command: Command) -> None:
    assert command("runs", "mv", "tal", "新") == (0, "checkpoints/新\n", "")
    assert command("show", "新")[0] == 0
    for name, said in (
        ("main", "the new name is main, which is Visdom's own here"),
        ("all-runs", "the new name is all-runs"),
        ("a/b", "it must be a plain name"),
        (".a", "it must be a plain name"),
    ):
        status, _, err = command("runs", "mv", "新", name)
        assert (status, said in err) == (2, True)
    assert "exists already" in command("runs", "mv", "新", "故事")[2]
    assert sorted(path.name for path in Path("checkpoints").iterdir()) == ["故事", "新"]
    with locked(Path("checkpoints/新")):
        status, _, err = command("runs", "mv", "新", "另")
    assert (status, "新 is being trained already" in err) == (1, True)


@pytest.mark.parametrize("name", ["main", "all-runs", "-a", ".a"])
def test_names_that_a_training_does_not_take(command: Command, story: Path, name: str) -> None:
    status, _, err = command("train", story, "--no-visdom", f"--name={name}")
    assert (status, "--name is" in err) == (2, True)
    assert not Path("checkpoints").exists()


class Typed(io.StringIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        return True


def test_removing_asks_first(
    command: Command, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    status, _, err = command("runs", "rm", "故事")
    assert (status, "give --yes" in err) == (2, True)
    for typed, removed in (("", False), ("n\n", False), ("y\n", True)):
        monkeypatch.setattr(sys, "stdin", Typed(typed))
        status, out, err = command("runs", "rm", "故")
        assert (status, out) == (1 - removed, "")
        assert re.match(r"Remove 故事 \(\d+\.\d .B\) for good\? \[y/N\] ", err)
        assert runs[1].folder.exists() is not removed
    assert runs[0].folder.exists()


def test_what_is_removed_is_gone_whole(command: Command, runs: list[Run]) -> None:
    left = Path("checkpoints/.removed-by-a-process-that-was-killed")
    left.mkdir()
    with locked(runs[0].folder):
        status, _, err = command("runs", "rm", "tale", "--yes")
    assert (status, "tale is being trained already" in err) == (1, True)
    (runs[1].folder / "config.json").write_text("[]")  # also what is damaged
    status, out, err = command("runs", "rm", "tale", "故", "--yes")
    assert (status, out) == (0, "")
    assert err == "checkpoints/tale is removed\ncheckpoints/故事 is removed\n"
    assert list(Path("checkpoints").iterdir()) == []


def test_what_is_no_run_is_not_removed(command: Command, in_folder: Path) -> None:
    Path("mine").mkdir()
    Path("mine/config.json").touch()
    for name, said in (
        ("mine", "mine is not a run folder: it has no vocab.json"),
        (str(in_folder), "is not a run folder"),
        ("base", "there is no run base"),
    ):
        status, _, err = command("runs", "rm", name, "--yes")
        assert (status, said in err) == (1, True)
    assert command("runs", "rm", "--yes")[0] == 2
    assert Path("mine/config.json").exists()


def test_a_run_is_given_away_without_its_text(command: Command, runs: list[Run]) -> None:
    assert command("runs", "export", "tale", "out.zip") == (0, "out.zip\n", "")
    assert [path.name for path in Path().glob("out*")] == ["out.zip"]
    with zipfile.ZipFile("out.zip") as archive:
        archive.extractall("there")
    folder = Path("there/tale")
    assert {path.name for path in folder.iterdir()} == {
        *("README.md", "best.safetensors", "config.json", "vocab.json")
    }
    story = (runs[0].folder / "text.txt").read_text("utf-8")
    pieces = {story[at : at + 8] for at in range(len(story) - 8)}
    for path in folder.iterdir():
        content = path.read_bytes().decode("utf-8", "replace")
        assert not any(piece in content for piece in pieces)
        assert str(Path.cwd()) not in content
    asked = ("--prefix", "老周", "--length", "20", "--seed", "1")
    status, out, err = command("generate", folder, *asked)
    assert (status, out) == command("generate", "tale", *asked, "--no-counts")[:2]
    assert "has neither counts.safetensors nor text.txt" in err
    assert "bits per character" in (folder / "README.md").read_text("utf-8")
    status, _, err = command("runs", "export", "tale", "out.zip")
    assert (status, err) == (2, "textgen: out.zip exists already: choose another name\n")


@pytest.mark.usefixtures("runs")
def test_with_its_text_it_writes_as_before(command: Command) -> None:
    command("runs", "export", "tale", "out.zip", "--text")
    with zipfile.ZipFile("out.zip") as archive:
        archive.extractall("there")
    asked = ("--prefix", "老周", "--length", "20", "--seed", "1")
    assert command("generate", "there/tale", *asked) == command("generate", "tale", *asked)
    assert command("runs", "export", "newest.zip")[0] == 0
    status, _, err = command("runs", "export", "tale")
    assert (status, "textgen runs export tale tale.zip" in err) == (2, True)
    status, _, err = command("runs", "export", "tale", "nowhere/out.zip")
    assert (status, "nowhere/out.zip cannot be written" in err) == (1, True)


def test_a_run_of_which_nothing_is_held_out_can_be_given_away(
    command: Command, story: Path
) -> None:
    asked = flags(**TINY, held_out=0, name="all")
    assert command("train", story, "--no-visdom", *asked)[0] == 0
    assert command("runs", "export", "all", "all.zip", "--text")[0] == 0
    with zipfile.ZipFile("all.zip") as archive:
        archive.extractall("there")
    last = Path("checkpoints/all/last.safetensors").stat().st_size
    assert Path("there/all/best.safetensors").stat().st_size < last / 2  # no optimiser
    asked = ["--prefix", "老周", "--length", "20", "--seed", "1"]
    assert command("generate", "there/all", *asked) == command("generate", "all", *asked)
    assert command("show", "all")[0] == 0


def test_a_run_is_repeated_bit_for_bit(command: Command, story: Path) -> None:
    asked = ("--no-visdom", "--json")
    training = flags(**{**TINY, "epochs": 0.3}, minutes=0.01)
    assert command("train", story, *asked, "--name", "one", *training)[0] == 0
    config = Path("checkpoints/one/config.json")
    status, _, err = command("train", *asked, "--config", config, "--name", "two")
    assert (status, "steps of one once more" in err) == (0, True)
    first, second = (Path(f"checkpoints/{name}/last.safetensors") for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    (leg,) = json.loads(config.read_text("utf-8"))["legs"]
    assert leg["command"].startswith(f"textgen train {story} --no-visdom --json --name one ")
    length = command("train", "--config", config, "--epochs", "0.1", "--print-config")[1]
    assert "\nepochs = 0.1\n# minutes is left open\n" in length
    # A run of more than one training is repeated as one.
    command("train", "--resume", "one", "--no-visdom", "--epochs", "0.1")
    resumed = Run(Path("checkpoints/one"))
    assert len(resumed.legs) == 2
    command("train", *asked, "--config", "checkpoints/one", "--name", "three")
    assert Run(Path("checkpoints/three")).plan.total_steps == resumed.plan.total_steps


def test_settings_are_printed_as_a_file_that_can_be_given(command: Command, story: Path) -> None:
    asked = ("--preset", "classic", "--hidden-size", "9", "--prefix", '你是"', "--print-config")
    status, out, err = command("train", "no-such-file.txt", *asked)
    assert (status, err) == (0, "")
    Path("mine.toml").write_text(out, "utf-8")
    assert command("train", story, "--config", "mine.toml", "--print-config") == (0, out, "")
    expected = Settings.of(preset="classic", hidden_size=9, prefix=('你是"',))
    assert Settings.of(**tomllib.loads(out)) == expected
    Path("mine.json").write_text(json.dumps({"hidden_size": 9}), "utf-8")
    out = command("train", "--config", "mine.json", "--print-config")[1]
    assert "\nhidden_size = 9\n" in out
    for content, said in (("{", "is not JSON"), ('{"settings": 1}', "has no settings")):
        Path("mine.json").write_text(content, "utf-8")
        status, _, err = command("train", story, "--config", "mine.json")
        assert (status, said in err) == (2, True)
    assert not Path("checkpoints").exists()


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.floats(1e-9, 1e6, exclude_min=True),
    st.floats(0, exclude_min=True, allow_nan=False),
)
def test_any_settings_come_back_from_a_file(prefix: str, minutes: float, clip: float) -> None:
    settings = Settings.of(prefix=(prefix, "b"), minutes=minutes, clip=clip, tie=False)
    assert Settings.of(**tomllib.loads(to_toml(settings.flat()))) == settings


@pytest.mark.usefixtures("runs")
def test_a_shell_is_told_names_of_runs_and_files(command: Command) -> None:
    def completed(*words: str) -> list[str]:
        status, out, _ = command("__complete", *words)
        assert status == 0
        return sorted(out.split("\x1fbegin\n")[1].splitlines())

    names = ["tale", "故事"]
    for words in (
        ("generate",),
        ("show",),
        ("evaluate",),
        ("runs", "rm", "tale"),
        ("train", "--resume"),
    ):
        assert completed(*words, "") == names
    assert completed("show", "--checkpoints", "nowhere", "") == []
    assert completed("train", "") == ["checkpoints/", "story.txt"]
    assert completed("corpus", "show", "checkpoints/t") == [
        "checkpoints/tale/",
        "checkpoints/故事/",
    ]


def test_completion_is_installed(
    command: Command, in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(in_folder))
    status, out, err = command("--install-completion", "--shell", "bash")
    assert (status, err) == (0, "Every shell that is opened from now on completes with Tab\n")
    assert out.strip() in (in_folder / ".bashrc").read_text("utf-8")
    subprocess.run(["bash", "-n", out.strip()], check=True, timeout=MOST_SECONDS)


def test_values_are_shown_as_people_read_them() -> None:
    values = (None, True, 1.0, 0.008, ("a", "b"), (), "web", 3)
    assert list(map(shown, values)) == ["-", "yes", "1", "0.008", "a, b", "-", "web", "3"]
    assert list(map(shown_size, (0, 999, 1000, 5 * 10**6, 10**16))) == [
        *("0 B", "999 B", "1.0 kB", "5.0 MB", "10000.0 TB")
    ]
    ages = (0.3, 59, 61, 7200, 86_400 * 400)
    assert list(map(shown_age, ages)) == ["now", "59 s", "1 min", "2 h", "400 d"]
