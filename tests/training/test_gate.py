"""The gate learns beside the network, which notices nothing of it."""

import json
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import textgen
from tests.conftest import TINY, make_story
from textgen.config import Settings
from textgen.runs.checkpoint import load_training, save_checkpoint
from textgen.runs.folder import Run
from textgen.runs.progress import Position, Progress
from textgen.text.vocab import Vocab
from textgen.training.gate import gate_passes
from textgen.training.setup import Learner, Material, set_up
from textgen.training.start import train

TEXT = make_story(3000)
MATERIAL = Material.of(Vocab.build(TEXT), TEXT, "")
POLICIES = ["sequential", "random"]


EXCERPT = Material.of(MATERIAL.vocab, TEXT, "", counted=600)


def new(material: Material = MATERIAL, **settings: object) -> Learner:
    return set_up(Settings.of(**{**TINY, **settings}), material)


def go(learner: Learner, steps: int, position: Position | None = None) -> Position:
    """Train for some steps of 100, and return where that leads."""
    for step in islice(learner.steps(100, position or Position()), steps):
        position = step.position
    assert position is not None
    return position


def tensors(learner: Learner) -> dict[str, Tensor]:
    """Return all that a training changes."""
    assert learner.gate is not None
    found: dict[str, Tensor] = {}
    for name, module in (("network", learner.model), ("gate", learner.gate.counts.product)):
        found |= {f"{name}.{key}": value for key, value in module.named_parameters()}
    for name, optimizer in (("adam", learner.optimizer), ("gates", learner.gate.optimizer)):
        for i, state in optimizer.state_dict()["state"].items():
            found |= {f"{name}.{i}.{key}": value for key, value in state.items()}
    return found


@pytest.mark.parametrize("batches", POLICIES)
def test_the_network_learns_as_without(batches: str) -> None:
    pair = [new(batches=batches, counts=counts) for counts in (True, False)]
    positions = [go(learner, 25) for learner in pair]
    assert positions[0].batch == positions[1].batch
    with_counts, without = (list(learner.model.parameters()) for learner in pair)
    assert all(map(torch.equal, with_counts, without))
    assert pair[1].counts is None


def test_no_gradient_of_the_gates_reaches_the_network() -> None:
    learner = new()
    gate = learner.gate
    assert gate is not None
    gate.loss(*next(learner.batches.epoch(0)), None)
    gate.learn(1, 100)
    assert all(parameter.grad is None for parameter in learner.model.parameters())
    assert all(parameter.grad is not None for parameter in gate.counts.product.parameters())


@pytest.mark.parametrize(
    ("material", "settings"), [(MATERIAL, {}), (EXCERPT, {}), (MATERIAL, {"num_networks": 2})]
)
@pytest.mark.parametrize("batches", POLICIES)
def test_a_training_that_was_stopped_goes_on_exactly(
    batches: str, material: Material, settings: dict[str, object], tmp_path: Path
) -> None:
    whole = new(material, batches=batches, **settings)
    go(whole, 24)
    path = tmp_path / "last.safetensors"
    first = new(material, batches=batches, **settings)
    position = go(first, 11)
    save_checkpoint(path, position=position, progress=Progress(), **first.parts())
    second = new(material, batches=batches, **settings)
    position, *_ = load_training(path, **second.parts())
    go(second, 13, position)
    ours, theirs = tensors(second), tensors(whole)
    assert ours.keys() == theirs.keys()
    assert any(name.startswith("gates.") for name in ours)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("first", [0, 200])
def test_of_a_long_text_it_learns_where_that_was_counted(first: int) -> None:
    learner = new(EXCERPT)
    gate = learner.gate
    assert gate is not None
    before = [parameter.clone() for parameter in gate.counts.product.parameters()]
    # A tenth of the text has 300 tokens, of which the first 60 are counted.
    rows = first + 300 * torch.arange(4)[:, None] + torch.arange(17)
    gate.loss(rows[:, :-1], rows[:, 1:], None)
    gate.learn(1, 100)
    unchanged = all(map(torch.equal, before, gate.counts.product.parameters()))
    assert unchanged == (first == 200)


def test_it_learns_within_the_first_passes_only() -> None:
    learner = new()
    gate = learner.gate
    assert gate is not None
    before = [parameter.clone() for parameter in gate.counts.product.parameters()]
    gate.loss(*next(learner.batches.epoch(0)), None)
    gate.learn(9, 8)
    assert all(map(torch.equal, before, gate.counts.product.parameters()))
    gate.learn(8, 8)
    assert not all(map(torch.equal, before, gate.counts.product.parameters()))


@pytest.mark.usefixtures("in_folder")
def test_what_it_learns_is_worth_something(story: Path, tiny: Settings) -> None:
    figures = train(story, tiny).held_out
    assert figures is not None
    assert figures.static is not None
    assert figures.mixed is not None
    assert figures.model is figures.mixed
    assert figures.mixed.bits_per_character < figures.network.bits_per_character
    assert figures.static.bits_per_character < figures.network.bits_per_character


@pytest.mark.usefixtures("in_folder")
def test_without_counts_there_is_no_trace_of_them(story: Path) -> None:
    result = train(story, Settings.of(**TINY, counts=False), name="alone")
    run = result.run
    assert not run.counts.exists()
    for path in (run.best, run.last):
        assert not any(name.startswith("gate") for name in load_file(path))
    assert result.held_out is not None
    assert result.held_out.model is result.held_out.network
    assert result.held_out.static is result.held_out.mixed is None
    assert "network_bits_per_character" not in run.record.read()[-2]
    # A run that was made before there were counts says nothing of them.
    config = json.loads((run.folder / "config.json").read_text("utf-8"))
    del config["settings"]["counts"]
    del config["text_sha256"]
    (run.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    old = textgen.load("alone")
    assert old.counts is None
    assert not Run(run.folder).settings.model.counts
    assert textgen.evaluate(old)[0] == result.held_out.model


def test_the_longer_a_text_the_longer_its_gate_learns() -> None:
    assert gate_passes(1_000_000, 1.5) == 1.5  # all that there is
    assert [gate_passes(50_000, passes) for passes in (3, 5, 12)] == [3, 4, 4]
    assert [gate_passes(1_000_000, passes) for passes in (3, 5, 10, 40)] == [3, 4, 6.5, 12]
    assert 4 < gate_passes(500_000, 40) < 12
