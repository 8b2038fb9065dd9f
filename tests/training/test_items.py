"""Learning items: the same as one by one, resumed exactly, and what there is is learned."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import TINY, make_model, make_story
from tests.training.same import assert_same
from textgen.config import GenerationConfig, Settings
from textgen.errors import UsageError
from textgen.runs.folder import Run
from textgen.runs.progress import Position
from textgen.runs.trained import load
from textgen.text.items import closed
from textgen.text.vocab import Vocab
from textgen.training.moment import Moment
from textgen.training.padding import Padded
from textgen.training.setup import Learner, Material, set_up
from textgen.training.start import resume, train
from textgen.writing.decoder import Decoder
from textgen.writing.generation import write_on

LINES = make_story(1500).splitlines()
TEXT = "".join(closed(["\n".join(LINES)], "line"))
VOCAB = Vocab.build(TEXT)
MATERIAL = Material.of(VOCAB, TEXT, "", end="\n")


def new(**settings: object) -> Learner:
    return set_up(Settings.of(**{**TINY, "items": "line", **settings}), MATERIAL)


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("model", ["nn", "scratch"])
@pytest.mark.parametrize("num_steps", [7, 64])  # most are longer, and none is
def test_a_batch_costs_what_its_items_do_one_by_one(
    model: str, num_steps: int, *, counts: bool
) -> None:
    learner = new(model=model, counts=counts, num_steps=num_steps, batch_size=5, dropout=0.0)
    learner.model.eval()
    total, count, state = torch.zeros(()), 0, None
    with torch.no_grad():
        for number, (x, y) in enumerate(learner.batches.epoch(1)):
            before = state if learner.batches.goes_on(1, number) else None
            loss, state = learner.trainable.loss(x, y, before)
            there = int((y >= 0).sum())
            total, count = total + loss * there, count + there
        one_by_one = torch.zeros(())
        for line in TEXT.splitlines(keepends=True):
            ids = torch.from_numpy(VOCAB.encode("\n" + line))[None]
            loss, _ = learner.model.loss(ids[:, :-1], ids[:, 1:])
            one_by_one += loss * (ids.shape[1] - 1)
    assert count == len(TEXT)
    assert float(total) == pytest.approx(float(one_by_one), rel=1e-5)


def test_what_a_row_is_filled_up_with_changes_no_gradient() -> None:
    model = make_model(9)
    rows = [torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[1, 6]])]
    gradients = []
    for filling in (0, 8):
        x = torch.stack([rows[0][0, :4], torch.tensor([1, filling, filling, filling])])
        y = torch.stack([rows[0][0, 1:], torch.tensor([6, -1, -1, -1])])
        model.zero_grad()
        loss, _ = Padded(model).loss(x, y, None)
        loss.backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    model.zero_grad()
    alone = sum(model.loss(row[:, :-1], row[:, 1:])[0] * (row.shape[1] - 1) for row in rows)
    assert isinstance(alone, torch.Tensor)
    (alone / 5).backward()
    expected = [p.grad for p in model.parameters() if p.grad is not None]
    for found in gradients:
        for ours, theirs in zip(found, expected, strict=True):
            assert torch.allclose(ours, theirs, atol=1e-6)


def test_a_step_tells_how_many_tokens_have_a_target() -> None:
    learner = new(batch_size=3)
    once = learner.batches.num_batches(0)
    assert sum(step.tokens for step in islice(learner.steps(once, Position()), once)) == len(TEXT)


def test_the_network_learns_as_without_counts_and_the_gate_learns_too() -> None:
    pair = [new(counts=counts) for counts in (True, False)]
    assert pair[0].counts is not None
    before = [p.detach().clone() for p in pair[0].counts.product.parameters()]
    for learner in pair:
        for _ in learner.steps(20, Position()):
            pass
    networks = (list(learner.model.parameters()) for learner in pair)
    assert all(map(torch.equal, *networks))
    assert not all(map(torch.equal, before, pair[0].counts.product.parameters()))


@pytest.fixture
def lines(in_folder: Path) -> Path:
    path = in_folder / "lines.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize("num_steps", [7, 64])
def test_a_stopped_training_resumes_exactly(lines: Path, num_steps: int) -> None:
    chosen = {**TINY, "items": "line", "epochs": 2.0, "dropout": 0.3, "num_steps": num_steps}
    settings = Settings.of(**chosen)
    whole = train(lines, settings, "whole").run

    for at in (3, 8):  # also in the middle of a long item

        def on_step(moment: Moment, at: int = at) -> None:
            if moment.step == at:
                raise ArithmeticError

        with pytest.raises(ArithmeticError):
            train(lines, settings, f"stopped-{at}", on_step=on_step)
        stopped = Run(Path("checkpoints") / f"stopped-{at}")
        assert_same(resume(stopped).run, whole)


def test_it_writes_only_items_of_a_list_that_it_knows(in_folder: Path) -> None:
    words = ["春眠不觉晓", "床前明月光", "白日依山尽", "红豆生南国", "空山不见人"]
    path = in_folder / "poems.txt"
    path.write_text("\n".join(words * 8) + "\n", encoding="utf-8")
    chosen = {**TINY, "hidden_size": 32, "epochs": 60.0, "learning_rate": 0.02, "held_out": 0.0}
    result = train(path, Settings.of(**{**chosen, "dropout": 0.0, "items": "line"}), "poems")
    decoder = Decoder.of(load(result.run.folder))
    config = GenerationConfig(temperature=0.5, seed=0, length=50)
    texts = dict.fromkeys(range(40), "")
    for step in write_on(decoder, decoder.read(""), config, list(texts)):
        for number, piece, ending in zip(step.samples, step.pieces, step.endings, strict=True):
            texts[number] += piece
            assert ending.over in (None, "stop")
    assert set(texts.values()) == set(words)


def test_what_cannot_be_is_refused_in_one_line(lines: Path) -> None:
    one = lines.with_name("one.txt")
    one.write_text("甲乙丙\n", encoding="utf-8")
    for path, given, said in (
        (one, {"items": "line"}, "finds 1 item"),
        (lines, {"items": "file"}, "finds 1 item"),
        (lines, {"items": "line", "batches": "random"}, "leave one of them out"),
        (lines, {"items": "line", "max_tokens": 5}, "leaves 0 whole items"),
        (lines, {"items": "line", "min_count": 1000}, "lower it"),
    ):
        with pytest.raises(UsageError, match=said):
            train(path, Settings.of(**{**TINY, **given}))
    assert not list(Path("checkpoints").glob("*"))


def test_max_tokens_takes_whole_items(lines: Path) -> None:
    first = [line + "\n" for line in LINES[:20]]
    chosen = {**TINY, "items": "line", "max_tokens": sum(map(len, first)) + 3}
    run = train(lines, Settings.of(**chosen)).run
    assert sorted(run.unchanged_text().splitlines(keepends=True)) == sorted(first)


@pytest.mark.parametrize("counts", [True, False])
def test_words_are_tokens_as_well(lines: Path, *, counts: bool) -> None:
    run = train(lines, Settings.of(**{**TINY, "items": "line", "tokens": "word", "counts": counts}))
    assert run.held_out is not None
    assert np.isfinite(run.held_out.model.bits_per_character)
