"""Event files, read back as TensorBoard itself reads them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import TINY, Command, flags
from tests.processes import wait_for
from textgen.dashboard import tensorboard
from textgen.dashboard.tensorboard import EventFiles, scalars, writing_events
from textgen.plots.suite import suite_in
from textgen.plots.window import Subject
from textgen.runs.folder import Run
from textgen.runs.record import Entry, Record

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator",
    reason="tensorboard is an extra: pip install '.[tensorboard]'",
)

Curves = dict[str, list[tuple[int, float]]]


def read(folder: Path) -> Curves:
    """Return the points that TensorBoard shows of a folder, by their tags."""
    events = accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def recorded(entries: list[Entry]) -> Curves:
    curves: Curves = {}
    for entry in entries:
        for tag, value in scalars(entry).items():
            single = float(np.float32(value))  # event files have no more digits
            curves.setdefault(tag, []).append((entry["step"], single))
    return curves


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return Subject("drawn", Record(tmp_path / "metrics.jsonl"), lambda _: [])


def step(number: int, loss: float = 1.0) -> Entry:
    return {"step": number, "epoch": number / 10, "loss": loss, "perplexity": 2.0}


def test_a_training_that_goes_on_has_every_point_once(command: Command, story: Path) -> None:
    where = ("--tensorboard", "events", "--no-visdom")
    assert command("train", story, "--name", "tale", *where, *flags(**TINY))[0] == 0
    run = Run(Path("checkpoints/tale"))
    first = read(Path("events/tale"))
    assert first == recorded(run.record.read())
    assert set(first) == {
        *("perplexity", "loss", "learning_rate", "gradient_norm", "tokens_per_second"),
        *("held_out_perplexity", "held_out_bits_per_character"),
        *("network_bits_per_character", "static_bits_per_character"),
    }
    for folder in ("events", "others"):
        again = ("train", "--resume", "tale", "--epochs", "1", "--no-visdom")
        assert command(*again, "--tensorboard", folder)[0] == 0
        curves = read(Path(folder) / "tale")
        assert curves == recorded(run.record.read())
        assert len(curves["loss"]) > len(first["loss"])


def test_the_suite_has_a_folder_for_each_task_and_its_layers(command: Command) -> None:
    for seed in ("1", "2"):  # the second time the record begins anew
        arguments = ("--task", "scalar", "--no-visdom", "--tensorboard", "events", "--seed", seed)
        command("sanity", *arguments)
        entries = suite_in(Path("checkpoints")).record.read()
        for model in ("scratch", "nn"):
            curves = read(Path("events/sanity") / f"scalar-{model}")
            assert curves == recorded([entry for entry in entries if entry["model"] == model])
            assert set(curves) == {"train_loss", "out_0", "out_1"}


def test_other_tasks_have_loss_and_accuracy() -> None:
    entry: Entry = {**step(3), "task": "addition", "model": "nn", "accuracy": 0.5}
    assert scalars(entry) == {"loss": 1.0, "accuracy": 0.5}
    assert scalars({"task": "addition", "model": "nn", "errors": [0], "passed": True}) == {}


def test_a_record_that_begins_anew_takes_back_what_was_written(
    subject: Subject, tmp_path: Path
) -> None:
    files = EventFiles(tmp_path / "events", subject)
    files.update()
    assert not (tmp_path / "events").exists()
    for number in (1, 2, 3):
        subject.record.append(step(number))
        files.update()
    assert [at for at, _ in read(tmp_path / "events/drawn")["loss"]] == [1, 2, 3]
    subject.record.forget_after(1)
    subject.record.append(step(2, loss=5.0))
    files.update()
    files.close()
    assert read(tmp_path / "events/drawn")["loss"] == [(1, 1.0), (2, 5.0)]
    assert len(list((tmp_path / "events/drawn").iterdir())) == 2


def test_an_odd_record_costs_its_own_lines_and_stays_in_the_folder(
    tmp_path: Path, subject: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [
        '{"loss": 1.0}',
        '{"step": "late", "loss": 1.0}',
        '{"step": 2, "loss": NaN}',
        '{"step": 3, "loss": 1.0, "task": "../../../x", "model": "y"}',
    ]
    subject.record.append(step(1))
    with subject.record.path.open("a", encoding="utf-8") as file:
        file.write("\n".join(odd) + "\n")
    subject.record.append(step(4))
    files = EventFiles(tmp_path / "a" / "b" / "events", subject)
    files.update()
    written = list(tmp_path.rglob("events.out.*"))
    files.update()
    files.close()
    assert list(tmp_path.rglob("events.out.*")) == written  # nothing was begun anew
    assert caplog.text.count("has an odd line") == 1  # the others are no entries at all
    curves = read(tmp_path / "a" / "b" / "events" / "drawn")
    assert [number for number, _ in curves["perplexity"]] == [1, 4]
    assert {path.name for path in tmp_path.iterdir()} == {"metrics.jsonl", "a"}


def test_points_come_while_it_trains(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "_SECONDS_BETWEEN_LOOKS", 0.01)
    folder = tmp_path / "events"
    with writing_events(folder, subject):
        subject.record.append(step(1))
        wait_for(lambda: (folder / "drawn").exists() and read(folder / "drawn"))
        subject.record.append(step(2))
    assert [at for at, _ in read(folder / "drawn")["perplexity"]] == [1, 2]


def test_a_full_disk_costs_one_line(
    subject: Subject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensorboard, "_begin", full)
    with writing_events(tmp_path / "events", subject):
        subject.record.append(step(1))
    (message,) = caplog.messages
    assert "events cannot be written (No space left on device)" in message


@pytest.mark.parametrize("arguments", [("train", "story.txt"), ("sanity", "--task", "parity")])
def test_what_cannot_be_is_told_before_the_training(
    arguments: tuple[str, ...], command: Command, story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert story.exists()
    where = ("--no-visdom", "--tensorboard")
    for folder in ("story.txt", "story.txt/events"):
        status, out, err = command(*arguments, *where, folder)
        assert (status, out) == (2, "")
        assert err == (
            f"textgen: --tensorboard {folder} cannot be written: give a folder of yours\n"
        )
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.record_writer", None)
    status, out, err = command(*arguments, *where, "events")
    assert (status, out) == (1, "")
    assert err == (
        "textgen: TensorBoard is not installed: pip install tensorboard, or leave --tensorboard "
        "out\n"
    )
    assert [path.name for path in Path().iterdir()] == ["story.txt"]
