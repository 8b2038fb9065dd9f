import math
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import make_model, make_story
from textgen.config import ModelConfig, TrainingConfig
from textgen.model.language_model import LanguageModel
from textgen.model.lstm import lstm_step
from textgen.model.network import RNNModel, RNNModelScratch
from textgen.runs.checkpoint import load_training, save_checkpoint
from textgen.runs.progress import Position, Progress
from textgen.text.batches import RandomBatches, SequentialBatches, TextBatches
from textgen.text.vocab import Vocab
from textgen.training.loop import (
    SGD,
    clip_gradients,
    learning_rate_at,
    make_optimizer,
    steps_in_epochs,
    take_step,
    train_steps,
)

TEXT = make_story(2000)
VOCAB = Vocab.build(TEXT)
CONFIG = TrainingConfig(batch_size=4, num_steps=16, optimizer="adamw", learning_rate=0.02)


def make_wider_model(**settings: object) -> LanguageModel:
    return make_model(
        len(VOCAB), **{"embedding_size": 16, "hidden_size": 24, "dropout": 0.0, **settings}
    )


def losses(
    model: LanguageModel,
    config: TrainingConfig = CONFIG,
    steps: int = 20,
    kind: type[TextBatches] = SequentialBatches,
) -> list[float]:
    batches = kind(VOCAB.encode(TEXT), config.rows, config.num_steps, config.seed)
    optimizer = make_optimizer(model, config)
    return [
        float(step.loss)
        for step in train_steps(model, batches, optimizer, config, steps, Position())
    ]


@pytest.mark.parametrize("kind", [SequentialBatches, RandomBatches])
@pytest.mark.parametrize("model", ["nn", "scratch"])
def test_it_learns(model: str, kind: type[TextBatches]) -> None:
    first, *_, last = losses(make_wider_model(model=model), steps=300, kind=kind)
    assert math.exp(first) == pytest.approx(len(VOCAB), rel=0.3)
    assert math.exp(last) < 2.5  # every other character of the story is certain


def test_the_two_models_learn_the_same() -> None:
    np.testing.assert_allclose(
        losses(make_wider_model()), losses(make_wider_model(model="scratch")), rtol=1e-4
    )


def test_state_is_carried_and_detached() -> None:
    """The loss of a step is that of the whole text before it; the gradient is the batch's own."""
    config = TrainingConfig(batch_size=1, num_steps=8, optimizer="sgd", learning_rate=1e-30)
    model = make_wider_model()
    found = losses(model, config, steps=6)
    batches = list(SequentialBatches(VOCAB.encode(TEXT), 1, 8, config.seed).epoch(0))[:6]
    logits, _ = model(torch.cat([x for x, _ in batches], dim=1))
    targets = torch.cat([y for _, y in batches], dim=1)[0].long()
    expected = torch.nn.functional.cross_entropy(logits[0], targets, reduction="none")
    np.testing.assert_allclose(found, expected.view(6, 8).mean(1).detach(), rtol=1e-5)


def test_without_carrying_each_batch_begins_at_zero() -> None:
    config = TrainingConfig(batch_size=4, num_steps=8, optimizer="sgd", learning_rate=1e-30)
    model = make_wider_model()
    found = losses(model, config, steps=5, kind=RandomBatches)
    epoch = RandomBatches(VOCAB.encode(TEXT), 4, 8, config.seed).epoch(0)
    expected = [
        float(model.loss(*batch)[0].detach()) for batch, _ in zip(epoch, range(5), strict=False)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_cut_loop_goes_on_as_if_it_had_not_been_cut(optimizer: str) -> None:
    config = TrainingConfig(batch_size=4, num_steps=16, optimizer=optimizer)  # type: ignore[arg-type]
    batches = SequentialBatches(VOCAB.encode(TEXT), 4, 16)
    whole = losses(make_wider_model(dropout=0.5), config, steps=40)
    model = make_wider_model(dropout=0.5)
    update = make_optimizer(model, config)
    found = []
    position = Position()
    for cut in (7, 29, 40):  # in the middle of the first epoch, after it, the end
        for step in train_steps(model, batches, update, config, 40, position):
            found.append(float(step.loss))
            position = step.position
            if position.step == cut:
                break
    assert found == whole


def test_two_trainings_at_once_are_as_each_alone() -> None:
    """They share torch's generator, of which dropout and the classes of the loss are drawn."""
    models = [make_wider_model(dropout=0.5) for _ in range(3)]
    alone = losses(models[0], steps=60)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda model: losses(model, steps=60), models[1:])) == [alone] * 2


@pytest.mark.parametrize("model", ["nn", "scratch"])
def test_one_hot_weights_go_on_from_a_checkpoint_exactly(tmp_path: Path, model: str) -> None:
    """They lie in memory in another order than the checkpoint has them in."""
    whole = make_wider_model(model=model, embedding_size=0)
    expected = losses(whole, steps=10)
    batches = SequentialBatches(VOCAB.encode(TEXT), CONFIG.rows, CONFIG.num_steps)
    found: list[float] = []
    path = tmp_path / "last.safetensors"
    for cut in (5, 10):
        network = make_wider_model(model=model, embedding_size=0)
        optimizer = make_optimizer(network, CONFIG)
        position, *_ = load_training(path, network, optimizer)
        steps = train_steps(network, batches, optimizer, CONFIG, 10, position)
        for step in islice(steps, cut - position.step):
            found.append(float(step.loss))
            position = step.position
        save_checkpoint(path, network, position, Progress(), optimizer)
    assert found == expected
    for ours, theirs in zip(network.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_gradients_are_clipped_to_the_norm() -> None:
    model = make_wider_model()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    loss, _ = model.loss(torch.zeros(2, 3, dtype=torch.int32), torch.ones(2, 3, dtype=torch.int32))
    (1000 * loss).backward()
    norm = float(take_step(model, optimizer, learning_rate=0.5, clip=0.25))
    moved = [a - b.detach() for a, b in zip(before, model.parameters(), strict=True)]
    assert norm > 100
    total = math.sqrt(sum(float(part.pow(2).sum()) for part in moved))
    assert total == pytest.approx(0.5 * 0.25, rel=1e-3)


def test_clipping_keeps_the_direction() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(3)), torch.nn.Parameter(torch.zeros(2))]
    parameters[0].grad = torch.tensor([3.0, 0.0, 0.0])
    unused = torch.nn.Parameter(torch.zeros(1))
    parameters[1].grad = torch.tensor([0.0, 4.0])
    for max_norm, scale in ((math.inf, 1.0), (6.0, 1.0), (1.0, 0.2)):
        assert float(clip_gradients([*parameters, unused], max_norm)) == pytest.approx(5.0)
        torch.testing.assert_close(parameters[0].grad, torch.tensor([3 * scale, 0, 0]))
        torch.testing.assert_close(parameters[1].grad, torch.tensor([0, 4 * scale]))


def test_sgd_is_torchs() -> None:
    ours, theirs = make_wider_model(), make_wider_model()
    for model, optimizer in (
        (ours, SGD(ours.parameters(), lr=0.3)),
        (theirs, torch.optim.SGD(theirs.parameters(), lr=0.3)),
    ):
        for batch, _ in zip(SequentialBatches(VOCAB.encode(TEXT), 4, 16), range(5), strict=False):
            optimizer.zero_grad()
            model.loss(*batch)[0].backward()
            take_step(model, optimizer, 0.3, clip=1.0)
    assert all(map(torch.equal, ours.parameters(), theirs.parameters()))


def test_the_learning_rate_warms_up_and_falls_to_zero() -> None:
    config = TrainingConfig(learning_rate=1.0, warmup=0.1)
    rates = [learning_rate_at(step, 100, config) for step in range(101)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == 1
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0)
    assert sorted(rates[10:], reverse=True) == rates[10:]
    constant = TrainingConfig(learning_rate=1.0, warmup=0.0, schedule="constant")
    assert {learning_rate_at(step, 100, constant) for step in range(100)} == {1.0}


@pytest.mark.parametrize("epochs", [0.01, 0.5, 1.0, 2.0, 3.5])
def test_epochs_in_steps(epochs: float) -> None:
    batches = SequentialBatches(VOCAB.encode(TEXT), 4, 16)
    counts = [batches.num_batches(epoch) for epoch in range(4)]
    steps = steps_in_epochs(batches, epochs)
    expected = sum(counts[: int(epochs)]) + epochs % 1 * counts[int(epochs)]
    assert steps >= 1
    assert abs(steps - expected) <= 1
    config = TrainingConfig(batch_size=4, num_steps=16)
    model = make_wider_model()
    optimizer = make_optimizer(model, config)
    *_, last = train_steps(model, batches, optimizer, config, steps, Position())
    assert last.position.step == steps
    assert last.position.epoch in (int(epochs), int(epochs) - 1)


def test_classic_is_document_a() -> None:
    """Its step, written out: one-hot inputs, the equations, SGD at 1, clipping to norm 1."""
    torch.manual_seed(0)
    shape = ModelConfig(embedding_size=0, hidden_size=24, dropout=0.0, init_std=0.01)
    model = RNNModelScratch(len(VOCAB), shape)
    twin = RNNModel(len(VOCAB), shape)
    twin.load_state_dict(model.state_dict())
    config = TrainingConfig(
        batch_size=4, num_steps=6, optimizer="sgd", learning_rate=1.0, schedule="constant", warmup=0
    )
    weights = {name: value.detach().clone() for name, value in model.named_parameters()}
    found = losses(model, config, steps=12)
    np.testing.assert_allclose(found, losses(twin, config, steps=12), rtol=1e-4)
    expected = []
    state = (torch.zeros(4, 24), torch.zeros(4, 24))
    epoch = SequentialBatches(VOCAB.encode(TEXT), 4, 6, config.seed).epoch(0)
    for (x, y), _ in zip(epoch, range(12), strict=False):
        for value in weights.values():
            value.requires_grad_()
        loss, state = document_a_loss(weights, x, y, state)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        norm = math.sqrt(sum(float(gradient.pow(2).sum()) for gradient in gradients))
        scale = min(1.0, 1.0 / norm)
        updated = zip(weights.items(), gradients, strict=True)
        weights = {name: (value - scale * g).detach() for (name, value), g in updated}
        expected.append(float(loss.detach()))
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def document_a_loss(
    weights: dict[str, torch.Tensor],
    x: torch.Tensor,
    y: torch.Tensor,
    state: tuple[torch.Tensor, torch.Tensor],
) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    w_x, w_h = weights["rnn.weight_ih_l0"], weights["rnn.weight_hh_l0"]
    bias = weights["rnn.bias_ih_l0"] + weights["rnn.bias_hh_l0"]
    hidden, memory = state
    outputs = []
    for inputs in torch.nn.functional.one_hot(x.long().t(), len(VOCAB)).float():
        hidden, memory = lstm_step(inputs @ w_x.t() + bias, hidden, memory, w_h)
        outputs.append(hidden @ weights["output.weight"].t() + weights["output.bias"])
    loss = torch.nn.functional.cross_entropy(torch.cat(outputs), y.t().flatten().long())
    return loss, (hidden.detach(), memory.detach())
