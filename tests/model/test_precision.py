from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.conftest import make_model
from textgen.config import Implementation, ModelConfig, Settings, TrainingConfig
from textgen.errors import UsageError
from textgen.model import precision
from textgen.model.build import build_model
from textgen.model.language_model import LanguageModel
from textgen.model.precision import add_product, choose_dtype, compute_dtype
from textgen.text.batches import SequentialBatches
from textgen.text.vocab import Vocab
from textgen.training.loop import make_optimizer, take_step
from textgen.training.start import train

CPU = torch.device("cpu")
BIG = [torch.empty(512, 512)]
SMALL = [torch.empty(12, 8)]
V = 300


def results(model: LanguageModel, dtype: torch.dtype) -> list[Tensor]:
    """Return loss, state and gradients of a batch after another."""
    draw = torch.Generator().manual_seed(0)
    x, y, before = (torch.randint(V, (8, 20), generator=draw) for _ in range(3))
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        _, state = model.loss(before, y)
        loss, state = model.loss(x, y, state)
    loss.backward()
    return [loss, *state, *(p.grad for p in model.parameters() if p.grad is not None)]


@pytest.mark.parametrize("embedding_size", [0, 16, 32])
@pytest.mark.parametrize("model", ["scratch", "nn"])
def test_bfloat16_changes_two_digits_at_most(model: Implementation, embedding_size: int) -> None:
    if model == "nn" and not precision.has_bfloat16(CPU):
        pytest.skip("torch's LSTM has no bfloat16 on this processor")
    network = make_model(
        V, model=model, embedding_size=embedding_size, hidden_size=32, num_layers=2, dropout=0.0
    )
    wide, narrow = (results(network, dtype) for dtype in (torch.float32, torch.bfloat16))
    assert len(wide) == len(narrow) == 3 + len(list(network.parameters()))
    for exact, found in zip(wide, narrow, strict=True):
        assert found.dtype == torch.float32
        assert 0 < (found - exact).norm() < 0.02 * exact.norm()


def test_a_model_learns_in_bfloat16_as_in_float32() -> None:
    text = "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。" * 60
    vocab = Vocab.build(text)
    config = TrainingConfig(batch_size=4, num_steps=16, learning_rate=1e-2)
    batches = SequentialBatches(vocab.encode(text), config.rows, config.num_steps)
    losses: list[list[float]] = []
    for enabled in (False, True):
        torch.manual_seed(0)
        model = build_model(len(vocab), ModelConfig(model="scratch", hidden_size=32, dropout=0.0))
        optimizer = make_optimizer(model, config)
        losses.append([])
        for _ in range(4):
            for x, y in batches.epoch(0):
                with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                    loss, _ = model.loss(x, y)
                optimizer.zero_grad()
                loss.backward()
                take_step(model, optimizer, config.highest_rate, config.clip)
                losses[-1].append(loss.item())
    wide, narrow = losses
    assert narrow[0] != wide[0]
    assert wide[-1] < wide[0] / 4
    assert narrow[-1] == pytest.approx(wide[-1], rel=0.1)


def test_auto_takes_bfloat16_only_where_it_is_there_and_faster() -> None:
    there = precision.has_bfloat16(CPU) and precision._is_worth_it(CPU)
    assert choose_dtype("auto", BIG) == (torch.bfloat16 if there else torch.float32)
    assert choose_dtype("auto", SMALL) == torch.float32
    assert choose_dtype("float32", BIG) == torch.float32


def test_who_asks_for_bfloat16_gets_it_or_is_told() -> None:
    if precision.has_bfloat16(CPU):
        assert choose_dtype("bfloat16", SMALL) == torch.bfloat16
    else:
        with pytest.raises(UsageError, match=r"bfloat16 is not to be had on this cpu: leave it at"):
            choose_dtype("bfloat16", SMALL)


@pytest.mark.skipif(precision.has_bfloat16(CPU), reason="this processor has bfloat16")
def test_what_is_not_to_be_had_is_refused_before_a_run_is_made(
    story: Path, tiny: Settings, in_folder: Path
) -> None:
    settings = replace(tiny, training=replace(tiny.training, precision="bfloat16"))
    before = sorted(in_folder.rglob("*"))
    with pytest.raises(UsageError, match="bfloat16 is not to be had"):
        train(story, settings)
    assert sorted(in_folder.rglob("*")) == before


def test_products_are_added_in_the_wider_type() -> None:
    torch.manual_seed(0)
    x, a, b = torch.randn(7) + 1000, torch.randn(5, 3), torch.randn(3, 7)
    out = torch.empty(5, 7)
    assert add_product(x, a, b, out) is out
    torch.testing.assert_close(out, x + a @ b)
    narrow = (a.bfloat16() @ b.bfloat16()).float()
    torch.testing.assert_close(add_product(x, a, b.bfloat16(), out), x + narrow)
    in_place = torch.ones(5, 7)
    add_product(in_place, a, b.bfloat16(), in_place)
    torch.testing.assert_close(in_place, 1 + narrow)


def test_the_type_is_autocasts_where_it_is_on() -> None:
    tensor = nn.Linear(2, 2).weight
    assert compute_dtype(tensor) == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert compute_dtype(tensor) == torch.bfloat16
    assert compute_dtype(tensor.double()) == torch.float64
