"""The suite, quick as it is by default, and what it stands on."""

import io
import json
import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from tests.conftest import TINY, Command, flags
from textgen.config import SanityConfig
from textgen.errors import UsageError
from textgen.language import Message
from textgen.model.framework import recurrent_layers
from textgen.plots.suite import suite_in, suite_windows
from textgen.runs.record import Entry, Record
from textgen.sanity import addition, long_numbers, memory_cell, subtraction
from textgen.sanity.binary import to_bits, to_numbers
from textgen.sanity.examples import Examples, ShuffledBatches
from textgen.sanity.network import Network
from textgen.sanity.problem import Problem, read_problem
from textgen.sanity.suite import TASKS, Task, run_suite
from textgen.sanity.trial import Finding, Trial, epoch_line, report_steps

CASES = [(name, model) for name, task in TASKS.items() for model in task.models]


def make_trial(folder: Path, task: str, model: str, seed: int = 0) -> Trial:
    return Trial(task, model, seed, full=False, record=Record(folder / "metrics.jsonl"))


@pytest.mark.parametrize(("name", "model"), CASES)
def test_a_task_is_learned(name: str, model: str, tmp_path: Path) -> None:
    config = SanityConfig(task=(name,))  # type: ignore[arg-type]
    record = Record(tmp_path / "sanity" / "metrics.jsonl")
    rows = {row.model: row for row in run_suite(config, record, models={model})}
    assert list(rows) == [model]
    assert rows[model].finding.passed, rows[model].finding


@given(st.lists(st.integers(0, 2**40 - 1), min_size=1), st.just(40))
def test_bits_are_the_numbers(numbers: list[int], width: int) -> None:
    bits = to_bits(np.array(numbers), width)
    assert bits.shape == (len(numbers), width)
    assert to_numbers(bits).tolist() == numbers
    assert "".join(str(int(bit)) for bit in bits[0].flip(0)) == f"{numbers[0]:040b}"


def test_subtractions_are_the_documents() -> None:
    a, b = subtraction.draw(np.random.default_rng(0), 3000)
    assert len(a) == len(b) == 3000
    assert 2 <= a.min() <= a.max() <= 254
    assert b.min() >= 1
    assert (a > b).all()
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        digits = zip(f"{x:03}", f"{y:03}", strict=True)
        assert any(upper < lower for upper, lower in digits), (x, y)


def test_sums_are_the_documents() -> None:
    sums = addition.draw(np.random.default_rng(0), 500)
    assert sums.x.shape == (500, 2, 8)
    a, b, total = (to_numbers(bits.flip(1)) for bits in (sums.x[:, 0], sums.x[:, 1], sums.y))
    assert ((a + b) == total).all()
    assert a.max() <= 127


@given(st.integers(0, 99), st.sampled_from([1, 8, 13, 40]))
def test_long_answers_are_right(seed: int, width: int) -> None:
    problems = long_numbers.draw(np.random.default_rng(seed), 20, width)
    a, b, subtract = (problems.x[:, :, k] for k in range(3))
    first, second = to_numbers(a), to_numbers(b)
    right = np.where(subtract[:, 0] > 0, first - second, first + second) % 2**width
    assert (to_numbers(problems.y) == right).all()


def test_the_memory_cell_in_another_order_of_gates_only_rounds_to_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = memory_cell.WEIGHT_IH
    monkeypatch.setattr(memory_cell, "WEIGHT_IH", rows[[1, 0, 2, 3]])
    finding = memory_cell.memory_cell(make_trial(tmp_path, "memory-cell", "nn"))
    assert not finding.passed
    assert finding.figures["difference"] > 0.1


def test_every_example_comes_once_in_an_epoch() -> None:
    examples = Examples(torch.arange(10)[:, None], torch.arange(10))
    batches = ShuffledBatches(examples, 4, seed=1)
    epochs = [list(batches.epoch(epoch)) for epoch in (0, 1, 0)]
    assert [len(y) for _, y in epochs[0]] == [4, 4, 2]
    assert batches.num_batches(0) == 3
    orders = [torch.cat([y for _, y in epoch]).tolist() for epoch in epochs]
    assert sorted(orders[0]) == list(range(10))
    assert orders[0] == orders[2] != orders[1]
    rest = [y.tolist() for _, y in batches.epoch(0, start=1)]
    assert rest == [y.tolist() for _, y in epochs[0]][1:]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_network_reads_a_sequence_in_pieces(cell: str) -> None:
    layers = recurrent_layers("nn", cell, 3, 5)  # type: ignore[arg-type]
    network = Network(layers, nn.Linear(5, 2), functional.mse_loss)
    x = torch.randn(4, 6, 3)
    whole, end = network(x)
    first, state = network(x[:, :2])
    second, state = network(x[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(state, end)
    last = Network(layers, network.output, functional.mse_loss, only_last=True)
    torch.testing.assert_close(last.outputs(x), whole[:, -1])


def test_a_resumed_task_is_the_task_in_one_go(tmp_path: Path) -> None:
    trial = make_trial(tmp_path, "scalar", "nn")
    examples = Examples(torch.randn(6, 4, 1), torch.randn(6, 1))
    answers = []
    for stages in ((6,), (2, 6)):
        trial.checkpoint.unlink(missing_ok=True)
        for epochs in stages:
            torch.manual_seed(epochs if len(stages) == 2 else 2)  # other weights to begin with
            network = Network(
                trial.layers(1, 1), nn.Identity(), functional.mse_loss, only_last=True
            )
            trial.train(network, examples, trial.adam(0.1, 2), epochs, Entry, trial.checkpoint)
        answers.append(network.outputs(examples.x))
    assert torch.equal(*answers)


@given(st.integers(1, 6000), st.integers(1, 2000), st.integers(1, 50))
def test_a_curve_has_its_points_at_the_ends_of_epochs(
    epochs: int, per_epoch: int, most: int
) -> None:
    steps = report_steps(epochs, per_epoch, most)
    assert 1 <= min(steps) <= max(steps) == epochs * per_epoch
    assert len(steps) <= most
    ends = {step for step in steps if step % per_epoch == 0}
    assert len(ends) >= min(epochs, most)
    if epochs >= most:
        assert ends == steps
        gaps = np.diff(sorted({0} | ends)) // per_epoch
        assert gaps.max() - gaps.min() <= 1


def test_an_epoch_is_told_as_it_stands_in_the_record() -> None:
    entry: Entry = {"step": 142, "epoch": 2.0, "loss": 0.12345, "learning_rate": 0.01}
    told = epoch_line({**entry, "accuracy": 0.9871}, 100)
    assert told == "Epoch 2/100, loss 0.1235, accuracy 0.987"
    told = epoch_line({**entry, "out_0": -0.0034, "out_1": 0.9991}, 500)
    assert told == "Epoch 2/500, loss 0.1235, out_0 -0.003, out_1 0.999"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_lines_stand_in_for_the_bar_off_a_terminal(
    stream: io.StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    trial = make_trial(tmp_path, "scalar", "nn")
    network = Network(trial.layers(1, 1), nn.Identity(), functional.mse_loss, only_last=True)
    examples = Examples(torch.randn(6, 4, 1), torch.randn(6, 1))
    with caplog.at_level(logging.INFO):
        trial.train(network, examples, trial.adam(0.1, 2), 500, lambda: {"accuracy": 0.5})
    entries = trial.record.read()
    if stream.isatty():
        assert caplog.messages == []
        assert "scalar nn  0% |" in stream.getvalue()
    else:
        assert "%|" not in stream.getvalue().replace(" ", "")
        assert caplog.messages == ["scalar nn", *(epoch_line(e, 500) for e in entries)]
        assert len(entries) == 25
        assert caplog.messages[1].startswith("Epoch 20/500, loss ")


def test_the_suite_leaves_no_trace_in_torch(tmp_path: Path) -> None:
    before = torch.get_rng_state(), torch.get_num_threads()
    list(run_suite(SanityConfig(task=("parity",)), Record(tmp_path / "sanity" / "metrics.jsonl")))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]


def test_a_run_of_any_name_is_left_alone(command: Command, story: Path) -> None:
    command("train", story, "--name", "sanity", "--no-visdom", *flags(**TINY))
    before = {path: path.read_bytes() for path in Path("checkpoints/sanity").iterdir()}
    assert len(before) == 9  # the run folder's files, and those of its lock
    assert command("sanity", *FLAGS)[0] == 0
    assert {path: path.read_bytes() for path in Path("checkpoints/sanity").iterdir()} == before


def test_what_is_done_is_told_when_it_is_stopped(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(TASKS, "parity", Task(stopped, ("both",)))  # type: ignore[arg-type]
    status, out, err = command("sanity", *FLAGS)
    assert status == 130
    assert len(out.splitlines()) == 3
    assert err.endswith("textgen: stopped\n")


FLAGS = ("--no-visdom", "--task", "memory-cell", "--task", "parity")


def test_the_table(command: Command) -> None:
    status, out, err = command("sanity", *FLAGS, "--report", "page.html")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["task", "model", "asked", "result", "s"]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["memory-cell", "scratch"],
        ["memory-cell", "nn"],
        ["parity", "both"],
    ]
    assert all(line.endswith("  pass") for line in lines[1:])
    assert all(len(line) <= 80 for line in (*lines, *err.splitlines()))
    assert len({line.index("pass") for line in lines[1:]}) == 1
    assert "0.9636" in err
    assert "All 3 passed" in err
    page = Path("page.html").read_text("utf-8")
    assert "memory-cell" in page
    assert "http://" not in page.split("</script>")[-2]


def test_json_and_the_model(command: Command) -> None:
    status, out, _ = command("sanity", *FLAGS, "--json", "--model", "scratch")
    values = json.loads(out)
    assert status == 0
    assert values["passed"] is True
    assert [(t["task"], t["model"], t["passed"]) for t in values["tasks"]] == [
        ("memory-cell", "scratch", True),
        ("parity", "both", True),
    ]
    assert values["tasks"][0]["figures"]["memory"] == [0, 0, 3, 3, 7, 7, 7, 0, 6]
    assert values["tasks"][0]["seconds"] >= 0


def test_a_failure_is_told_by_the_exit_status(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_cell, "_TOLERANCE", 0.0)
    status, out, err = command("sanity", *FLAGS)
    assert status == 1
    assert out.count("FAIL") == 2
    assert err.endswith("textgen: 2 of 3 failed: memory-cell scratch, memory-cell nn\n")
    status, out, _ = command("sanity", *FLAGS, "--json")
    assert status == 1
    assert json.loads(out)["passed"] is False


SUBTRACTION = ("--task", "subtraction")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--task", "division"), "subtraction"),
        (("--model", "gru"), "scratch"),
        (("--seed", "-1"), "--seed is -1: it must be at least 0"),
        (("--report", "nowhere/page.html"), "--report nowhere/page.html cannot be written"),
        (("--report", "."), "cannot be written"),
        (("--ask", "3-1"), "--ask 3-1 needs the one task that is asked: --task subtraction or"),
        ((*SUBTRACTION, "--task", "addition", "--ask", "3-1"), "--ask 3-1 needs the one task"),
        (("--task", "parity", "--ask", "3-1"), "--ask 3-1 needs the one task that is asked"),
        ((*SUBTRACTION, "--ask", "abc"), "--ask abc is not a subtraction: write it as 123-61"),
        ((*SUBTRACTION, "--ask", f"1-{'9' * 5000}"), "is not a subtraction"),
        ((*SUBTRACTION, "--ask", "1\n2"), "--ask 1 2 is not a subtraction"),
        (("--ask", "1\n2"), "--ask 1 2 needs the one task that is asked"),
        ((*SUBTRACTION, "--ask", "3+1"), "--ask 3+1 is not a subtraction"),
        ((*SUBTRACTION, "--ask", "61-123"), "61 - 123 cannot be asked: the answer is below 0"),
        ((*SUBTRACTION, "--ask", "256-1"), "256 - 1 cannot be asked: 8 bits are trained"),
        (("--task", "addition", "--ask", "3-1"), "--ask 3-1 is not an addition: write it as 45+27"),
        (("--task", "addition", "--ask", "1+128"), "take numbers from 0 to 127"),
        (("--visdom", "a:b"), "--visdom a:b is no address"),
    ],
)
def test_bad_input_is_one_line(command: Command, arguments: tuple[str, ...], said: str) -> None:
    status, out, err = command("sanity", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("textgen: ")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not Path("checkpoints/.sanity").exists()


def test_curves_answers_and_errors_are_drawn(tmp_path: Path) -> None:
    subject = suite_in(tmp_path)
    config = SanityConfig(task=("subtraction", "scalar"), model="nn")
    rows = list(run_suite(config, subject.record))
    windows = {window.key: window for window in subject.windows(subject.record.read())}
    assert list(windows) == [
        "results",
        *("subtraction-loss", "subtraction-answers", "subtraction-errors"),
        *("scalar-loss", "scalar-answers"),
    ]
    assert "1,000 right, RMSE 0.0000" in windows["results"].data[0]["content"]
    losses, answers, errors = (
        {trace["name"]: trace for trace in windows[f"subtraction-{key}"].data}
        for key in ("loss", "answers", "errors")
    )
    assert list(losses) == list(answers) == list(errors) == ["nn", "gru"]
    assert losses["nn"]["y"][0] > 50 * losses["nn"]["y"][-1]
    assert answers["gru"]["y"][-1] == 1
    assert max(errors["nn"]["y"]) == 0
    assert len(errors["nn"]["y"]) == 1000
    scalars = [trace["name"] for trace in windows["scalar-answers"].data]
    assert scalars == ["nn out_0", "nn out_1"]
    (again,) = run_suite(SanityConfig(task=("parity",)), subject.record)
    assert [entry["task"] for entry in subject.record.read()] == ["parity"]
    assert [row.passed for row in (again.finding, *(row.finding for row in rows))] == 4 * [True]
    assert suite_windows([])[0].key == "results"


def test_a_finding_shows_a_wrong_answer_beside_the_right_one() -> None:
    assert Finding(Message(), Message(), passed=True).details == ()
    problem = Problem(123, "-", 61)
    assert problem.worked(62) == " 123 -  61 =  62   01111011 - 00111101 = 00111110"
    assert problem.worked(63).endswith("= 00111111   (62)")
    assert Problem(45, "+", 27).worked(72) == "  45 +  27 =  72   00101101 + 00011011 = 01001000"


@pytest.mark.parametrize("task", [addition, subtraction])
def test_an_asked_problem_gets_the_answer_that_it_gets_among_others(
    task: ModuleType, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = task.make_network(make_trial(tmp_path, "", "nn").layers(*LAYERS[task]))
    for parameter in network.parameters():
        nn.init.normal_(parameter)  # an untrained network gives all the same answer
    a, b = np.random.default_rng(1).integers(0, 128, (2, 50))
    a, b = np.maximum(a, b), np.minimum(a, b)
    answers = task.answers(network, task.encode(a, b)).tolist()
    assert answers == [task.ask(network, x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert len(set(answers)) > 1
    with pytest.raises(UsageError, match=r"300 [+-] 1 cannot be asked"):
        task.ask(network, 300, 1)


LAYERS = {addition: (8, 32), subtraction: (2, 32)}


@given(st.integers(0, 255), st.sampled_from("+-"), st.integers(0, 255), st.sampled_from(["", " "]))
def test_a_problem_is_read_as_it_is_written(
    a: int, sign: Literal["+", "-"], b: int, space: str
) -> None:
    written = f"{a}{space}{sign}{space}{b}"
    possible = max(a, b) <= 127 if sign == "+" else a >= b
    if possible:
        problem = read_problem(written, sign)
        assert problem == Problem(a, sign, b)
        assert str(problem) == f"{a} {sign} {b}"
        assert 0 <= problem.answer <= 255
        assert problem.answer == {"+": a + b, "-": a - b}[sign]
    else:
        with pytest.raises(UsageError, match="cannot be asked"):
            read_problem(written, sign)


def test_what_is_asked_is_answered_when_the_task_is_learned(command: Command) -> None:
    asked = ("--ask", "123-61", "--ask", "255 - 0")
    status, out, _ = command(
        "sanity", "--task", "subtraction", "--model", "nn", "--no-visdom", *asked
    )
    worked = [
        " 123 -  61 =  62   01111011 - 00111101 = 00111110",
        " 255 -   0 = 255   11111111 - 00000000 = 11111111",
    ]
    assert status == 0
    assert out.splitlines()[3:] == ["subtraction nn", *worked, "subtraction gru", *worked]


def test_a_wrong_answer_is_told_too(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlearned(trial: Trial) -> tuple[Network, Examples]:
        network = addition.make_network(trial.layers(8, 32))
        return network, addition.draw(trial.generator(), 100)

    monkeypatch.setattr(addition, "learn", unlearned)
    flags = ("--task", "addition", "--model", "nn", "--no-visdom", "--ask", "45+27")
    status, out, _ = command("sanity", *flags)
    assert status == 1
    assert out.splitlines()[-1].endswith("   (72)")
    status, out, _ = command("sanity", *flags, "--json")
    assert status == 1
    (row,) = json.loads(out)["tasks"]
    (answer,) = row["answers"]
    assert answer["problem"] == "45 + 27"
    assert answer["right"] is False
    assert answer["answer"] != 72
    assert answer["worked"].startswith("45 +  27 =")
