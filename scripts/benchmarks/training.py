"""Steps of training, forward to optimiser."""

import copy
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch
from baselines import DocumentA, sequential_batches

from benchmarks.timing import Clock, Row
from textgen.config import PRESETS, ModelConfig, Settings, TrainingConfig
from textgen.model.build import build_model
from textgen.model.language_model import LanguageModel
from textgen.model.lstm import plain_recurrence
from textgen.model.precision import choose_dtype
from textgen.model.recurrence import Recurrence
from textgen.model.state import State
from textgen.runs.progress import Position
from textgen.text.batches import SequentialBatches
from textgen.text.vocab import TokenIds, Vocab
from textgen.training.loop import make_optimizer, train_steps

_SETTINGS = {
    "embedding 128, LSTM 256, 16 x 32": (ModelConfig(), 16, 32),
    "one-hot, LSTM 256, 32 x 35": (ModelConfig(embedding_size=0), 32, 35),
    "two layers, 16 x 32": (ModelConfig(num_layers=2), 16, 32),
    "embedding 192, LSTM 512, 16 x 32": (ModelConfig(hidden_size=512), 16, 32),
}
"""Model, rows and steps of a batch."""


def step_of(model: LanguageModel, tokens: TokenIds, config: TrainingConfig) -> Callable[[], object]:
    """Return what trains a model by one step more."""
    config = replace(config, schedule="constant", warmup=0.0)
    batches = SequentialBatches(tokens, config.rows, config.num_steps)
    optimizer = make_optimizer(model, config)
    steps = train_steps(model, batches, optimizer, config, sys.maxsize, Position())
    return lambda: next(steps)


def scratch_against_nn(text: str, clock: Clock) -> list[Row]:
    """Train the model from scratch by a step, against the one on ``nn.LSTM``."""
    vocab = Vocab.build(text)
    tokens = vocab.encode(text)
    rows = []
    for name, (shape, batch_size, num_steps) in _SETTINGS.items():
        config = TrainingConfig(batch_size=batch_size, num_steps=num_steps)
        scratch, framework = (
            step_of(build_model(len(vocab), replace(shape, model=model)), tokens, config)
            for model in ("scratch", "nn")
        )
        times = clock.compare(scratch, framework)
        rows.append(Row(f"scratch against nn, {name}", *times, 0.8))
    return rows


def fast_against_plain(_text: str, clock: Clock) -> list[Row]:
    """Go through 16 x 32 steps and back by ``Recurrence``, against ``lstm_step`` and autograd."""
    rows = []
    for hidden_size in (256, 512):
        weight = (torch.randn(4 * hidden_size, hidden_size) / hidden_size**0.5).requires_grad_()
        projected = torch.randn(32, 16, 4 * hidden_size, requires_grad=True)
        state = torch.zeros(2, 16, hidden_size)

        def run(
            recurrence: Callable[..., tuple[torch.Tensor, ...]],
            given: tuple[torch.Tensor, ...] = (projected, *state, weight),
        ) -> None:
            sum(part.sum() for part in recurrence(*given)).backward()  # type: ignore[union-attr]

        times = clock.compare(partial(run, Recurrence.apply), partial(run, plain_recurrence))
        rows.append(Row(f"recurrence, fast against plain, {hidden_size} units", *times, 1.0))
    return rows


def document_a(text: str, clock: Clock) -> list[Row]:
    """Train document A's model by a step, against its own way."""
    vocab = Vocab.build(text)
    tokens = vocab.encode(text)
    settings = Settings.of(**PRESETS["classic"], model="scratch")
    config = settings.training
    ours = build_model(len(vocab), settings.model)
    theirs = DocumentA(len(vocab), ours.resolved.hidden_size)
    _copy(theirs, ours)

    # The same model: from the same weights, the same batch gives the same loss.
    x, y = next(SequentialBatches(tokens, config.rows, config.num_steps).epoch(0))
    loss, _ = theirs.loss(x.long(), y.long(), theirs.begin_state(len(x)))
    torch.testing.assert_close(ours.loss(x, y)[0], loss)

    def their_steps() -> Iterator[None]:
        ids: list[int] = tokens.tolist()
        while True:
            state: State = theirs.begin_state(config.rows)
            for x, y in sequential_batches(ids, config.rows, config.num_steps):
                state = theirs.step(x, y, state)
                yield

    quick = copy.deepcopy(ours)
    steps = their_steps()
    in_float32, in_fastest, theirs_took = clock.medians(
        step_of(ours, tokens, config),
        step_of(quick, tokens, replace(config, precision="auto")),
        lambda: next(steps),
    )
    dtype = choose_dtype("auto", ours.parameters())
    name = "training step, document A"
    return [
        Row(name, in_float32, theirs_took, 5.0, _speed(config, in_float32)),
        Row(
            f"{name}, --precision auto",
            in_fastest,
            theirs_took,
            15.0 if dtype == torch.bfloat16 else 5.0,
            f"{_speed(config, in_fastest)}, {_name(dtype)}",
        ),
    ]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _speed(config: TrainingConfig, seconds: float) -> str:
    return f"{config.rows * config.num_steps / seconds:,.0f} characters/s"


def _copy(theirs: DocumentA, ours: LanguageModel) -> None:
    """Give our model the weights of document A's; of our two biases it has one."""
    stacked = {
        "weight_ih_l0": [theirs.of_input[gate].t() for gate in "ifgo"],
        "weight_hh_l0": [theirs.of_hidden[gate].t() for gate in "ifgo"],
        "bias_ih_l0": [theirs.bias[gate] for gate in "ifgo"],
        "bias_hh_l0": [torch.zeros_like(theirs.bias[gate]) for gate in "ifgo"],
    }
    layers = ours.get_submodule("rnn")
    layers.load_state_dict({name: torch.cat(parts) for name, parts in stacked.items()})
    output = {"weight": theirs.of_output.t(), "bias": theirs.output_bias}
    ours.get_submodule("output").load_state_dict(output)


def arithmetic(text: str, clock: Clock) -> list[Row]:
    """Train the default model by a step, against its matmul work at a matmul's best speed.

    In float32, and in bfloat16 where that is faster.
    """
    vocab = Vocab.build(text)
    # Over all classes: a sampled softmax is less work, and not only faster.
    shape, config = ModelConfig(softmax="full"), TrainingConfig(precision="float32")
    model = build_model(len(vocab), shape)
    ids = vocab.encode(text)
    rows = [_arithmetic(model, ids, config, torch.float32, 0.7, clock)]
    if choose_dtype("auto", model.parameters()) == torch.bfloat16:
        config = replace(config, precision="bfloat16")
        rows.append(_arithmetic(model, ids, config, torch.bfloat16, 0.35, clock))
    return rows


def _arithmetic(
    model: LanguageModel,
    ids: TokenIds,
    config: TrainingConfig,
    dtype: torch.dtype,
    wanted: float,
    clock: Clock,
) -> Row:
    step = step_of(model, ids, config)
    tokens = config.rows * config.num_steps
    embedding, hidden = model.num_features, model.resolved.hidden_size  # tied
    weights = (embedding + hidden) * 4 * hidden + (hidden + model.vocab_size) * embedding
    work = 3 * 2 * tokens * weights  # backward twice the forward's; a multiply-add is two
    square = torch.randn(1024, 1024).to(dtype)
    features = torch.randn(tokens, embedding).to(dtype)
    output = model.get_parameter("output.weight").detach().t().to(dtype)
    ours, of_square, of_output = clock.medians(
        step, lambda: square @ square, lambda: features @ output
    )
    best = max(2 * 1024**3 / of_square, 2 * tokens * output.numel() / of_output)
    note = f"{work / ours / 1e9:.0f} of {best / 1e9:.0f} GFLOP/s, {_name(dtype)}"
    return Row("default model's training", ours, work / best, wanted, note)
