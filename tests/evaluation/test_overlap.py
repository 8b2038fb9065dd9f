"""How much of a judged text stands in the training text, and that nobody sees a figure without."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import textgen
from tests.conftest import TINY, Command, copy_run, flags
from tests.evaluation.test_copying import defined
from textgen.config import CorpusConfig, Settings
from textgen.evaluation import overlap
from textgen.evaluation.copying import TrainingText
from textgen.evaluation.overlap import Overlap, held_out_overlap
from textgen.runs.folder import Run, split_text
from textgen.training import start

CHARACTERS = "".join(map(chr, range(0x4E00, 0x5200)))

REMARK = "stand in the training text in stretches of 10 or more, where 1 or 2% are natural"


def drawn(count: int, seed: int) -> str:
    return "".join(random.Random(seed).choices(CHARACTERS, k=count))  # noqa: S311 - no secret


@given(st.text("天地玄ab", max_size=60), st.text("天地玄ab", max_size=60), st.integers(0, 50))
def test_a_short_text_is_measured_by_the_definition(before: str, text: str, first: int) -> None:
    text = f"天地玄黄宇宙洪荒{text}{before[first : first + 20]}"
    found = Overlap.of(before, text)
    letters = sum(character < "\u2e80" for character in text)
    assert found.length == (20 if 2 * letters > len(text) else 10)
    assert found.share == defined(text, before, found.length).share
    assert (found.characters, found.total) == (len(text), len(text))


@pytest.mark.parametrize("count", [10, 3000, 70_000])
def test_a_text_knows_all_of_itself_and_nothing_of_a_strange_one(count: int) -> None:
    text, strange = drawn(count, 0), drawn(100_000, 1)
    assert Overlap.of(strange + text + strange, text).share == 1
    found = Overlap.of(strange, text)
    assert (found.share, found.total) == (0, count)
    assert found.characters == min(count, overlap.MOST)
    assert Overlap.of(strange, "").share == 0


def test_a_sample_says_what_the_whole_text_says(monkeypatch: pytest.MonkeyPatch) -> None:
    training_text = drawn(20_000, 0)
    known = (training_text[first : first + 700] for first in range(0, 20_000, 2000))
    text = "".join(part + drawn(2100, seed) for seed, part in enumerate(known, start=1))
    whole = Overlap.of(training_text, text)
    assert whole.share == pytest.approx(0.25, abs=0.001)
    assert whole.characters == 28_000
    monkeypatch.setattr(overlap, "MOST", 20_000)
    sampled = Overlap.of(training_text, text)
    assert (sampled.characters, sampled.total) == (20_000, 28_000)
    assert sampled.share == pytest.approx(whole.share, abs=0.06)
    (line,) = sampled.remarks("it")
    assert line.startswith("Of 20,000 characters spread over it, 2")


def test_phrases_of_an_alphabet_are_longer() -> None:
    draw = random.Random(0)  # noqa: S311 - no secret
    words = ["".join(draw.choices("abcdefgh", k=draw.randrange(2, 7))) for _ in range(150)]
    text = " ".join(draw.choices(words, k=40_000))
    training_text, held_out_text = split_text(text, CorpusConfig())
    found = Overlap.of(training_text, held_out_text)
    assert found.length == 20
    assert found.is_natural
    assert TrainingText(training_text).copied_by(held_out_text).share > 0.2
    assert found.share < Overlap.of(training_text, training_text[:5000]).share == 1


def test_no_figure_of_a_known_text_stands_alone(command: Command, sample_run: Run) -> None:
    copy_run(sample_run, "learned")
    text = (sample_run.folder / "text.txt").read_text("utf-8")
    Path("novel.txt").write_text(text, encoding="utf-8")
    known = held_out_overlap(sample_run)
    assert known is not None
    assert known.is_natural
    status, out, err = command("evaluate", "learned", "--heatmap", "own.html")
    assert (status, REMARK in out + err) == (0, False)
    status, out, err = command("evaluate", "learned", "novel.txt", "--heatmap", "page.html")
    assert (status, out.count(f"Of novel.txt, 90.0% {REMARK}")) == (0, 1)
    assert err == ""
    assert "class='remark'>Of novel.txt, 90.0% " in Path("page.html").read_text("utf-8")
    assert "class='remark'" not in Path("own.html").read_text("utf-8")


@pytest.mark.usefixtures("in_folder")
def test_the_same_novel_twice_is_told_from_first_to_last(command: Command, story: Path) -> None:
    Path("novels").mkdir()
    novel = drawn(2000, 0)
    for name, title in (("one.txt", "旧版\n"), ("two.txt", "")):  # the very same is read once
        Path("novels", name).write_text(title + novel, encoding="utf-8")
    line = f"Of the held-out part, 100.0% {REMARK}"
    asked = ("train", "novels", "--name", "twice", "--no-visdom", *flags(**TINY))
    status, out, err = command(*asked)
    assert (status, out.count(line), err.count(line)) == (0, 1, 1)
    assert err.index(line) < err.index("held out ")
    status, out, err = command("train", "--resume", "twice", "--epochs", "1", "--no-visdom")
    assert (status, out.count(line), err.count(line)) == (0, 1, 1)
    command("report", "twice")
    page = Path("checkpoints/twice/report.html").read_text("utf-8")
    assert f"class='remark'>{line}" in page
    assert "held out (100% in the training text)" in page
    # A run that was made before it was measured is measured now, while its text is there.
    run = Run(Path("checkpoints/twice"))
    before = held_out_overlap(run)
    del run.config["held_out_in_training_text"]
    assert held_out_overlap(run) == before
    (run.folder / "text.txt").unlink()
    assert held_out_overlap(run) is None
    nothing = Settings.of(**{**TINY, "held_out": 0.0})
    assert held_out_overlap(start.train(story, nothing, "whole").run) is None


def test_another_text_than_was_learned_is_told(
    command: Command, tiny_run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    run = copy_run(tiny_run, "tale")
    path = run.folder / "text.txt"
    _, before, _ = command("evaluate", "tale")
    path.write_text(path.read_text("utf-8").replace("老周", "老王", 1), encoding="utf-8")
    line = "text.txt is not the text any more that tale was trained on: the held-out part, Kneser"
    status, out, err = command("evaluate", "tale", "--heatmap", "page.html")
    assert (status, err, out.count(line)) == (0, "", 1)
    assert out.startswith("400 characters of the held-out part of the changed text.txt\n")
    assert line not in before
    assert line in Path("page.html").read_text("utf-8")
    status, out, err = command("evaluate", "tale", "--json")
    assert (status, '"text_changed": true' in out, err.count(line)) == (0, True, 1)
    status, out, err = command("generate", "tale", "--prefix", "老周", "--check-copying")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "put that back, or train a new run on this one" in err
    caplog.clear()
    textgen.evaluate(run.folder)
    assert [line in message for message in caplog.messages] == [True, False]


@pytest.mark.parametrize(
    ("data", "said"), [(b"\xff\xfe", "and not even UTF-8"), (b"", "but empty"), (b"a", "too short")]
)
@pytest.mark.parametrize("has_hash", [True, False])
def test_what_is_no_text_is_one_line(
    command: Command, tiny_run: Run, data: bytes, said: str, *, has_hash: bool
) -> None:
    run = copy_run(tiny_run, "tale")
    if not has_hash:
        del run.config["text_sha256"]
        run.update(run.settings, run.plan)
    (run.folder / "text.txt").write_bytes(data)
    for arguments in (
        ("evaluate", "tale"),
        ("train", "--resume", "tale", "--epochs", "1", "--no-visdom"),
    ):
        status, out, err = command(*arguments)
        assert (status > 0, out, err.count("\n")) == (True, "", 1)
        assert err.startswith("textgen: ")
        assert said in err or data == b"a"
    assert command("report", "tale")[0] == 0
    assert command("generate", "tale", "--prefix", "老", "--length", "5")[0] == 0
