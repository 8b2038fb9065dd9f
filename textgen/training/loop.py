"""The training loop: batch, forward, loss, backward, clip, step, report.

Truncated backpropagation through time: the gradient reaches back over one batch's steps, the
state further, where the batches say that it is carried.
"""

import logging
import math
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from textgen.config import TrainingConfig
from textgen.model.precision import choose_dtype
from textgen.model.state import detach
from textgen.runs.progress import Position
from textgen.text.batches import Batches
from textgen.training.eager import AdamW, Eager
from textgen.training.recovery import MOST, NotFiniteError
from textgen.training.together import ALONE, Together, Trainable

log = logging.getLogger(__name__)

DRAWING = threading.Lock()
"""torch's generator is the whole process's: who seeds it and then draws, here for dropout and for
the classes of the loss, must not have another thread's training come between."""


@dataclass(frozen=True)
class Step:
    """What one step was; the tensors stay on their device until somebody reads them."""

    position: Position
    tokens: int
    loss: Tensor
    gradient_norm: Tensor
    learning_rate: float


def train_steps(
    model: Trainable,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    config: TrainingConfig,
    total_steps: int,
    position: Position,
    span: int | None = None,
    together: Together = ALONE,
) -> Iterator[Step]:
    """Train from a position on until ``total_steps`` are done; yield after every step.

    The learning rate is that of the last ``total_steps`` of a training of ``span`` steps; of one
    of ``total_steps``, when not given.

    A batch whose gradient is not finite is passed over, as if the text had it not.

    The same model, optimiser and position give the same steps, wherever the loop was cut.

    Raises:
        NotFiniteError: too many batches in a row were passed over.
    """
    state, first_batch = position.state, position.batch
    epoch, step, left_out = position.epoch, position.step, 0
    ahead = 0 if span is None else span - total_steps
    device = next(model.parameters()).device
    dtype = choose_dtype(config.precision, model.parameters())
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16)
    while step < total_steps:
        for batch, (x, y) in enumerate(batches.epoch(epoch, first_batch), first_batch + 1):
            model.train()  # who evaluated or generated since the last step has turned it off
            learning_rate = learning_rate_at(step + ahead, total_steps + ahead, config)
            with DRAWING, autocast:
                seed(device, config.seed + step)  # dropout follows from (seed, step)
                before = detach(state) if batches.goes_on(epoch, batch - 1) else None
                loss, after = together.loss(model, x, y, before)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            loss, after = together.add_up(model, loss, after)
            gradient_norm = take_step(model, optimizer, learning_rate, config.clip)
            if not math.isfinite(gradient_norm):  # the step was not taken
                left_out += 1
                log.warning("A batch after step %s was left out: no finite gradient", f"{step:,}")
                if left_out == MOST:
                    raise NotFiniteError(
                        "the gradient is not finite at step {step:,}, {most} batches in a row",
                        step=step + 1,
                        most=MOST,
                    )
                continue
            left_out, state = 0, after
            step += 1
            yield Step(
                Position(step, epoch, batch, detach(state)),
                int((y >= 0).sum()) if batches.pads else x.shape[0] * x.shape[1],
                loss,
                gradient_norm,
                learning_rate,
            )
            if step == total_steps:
                return
        epoch, first_batch, state = epoch + 1, 0, None


def take_step(
    model: Trainable, optimizer: torch.optim.Optimizer, learning_rate: float, clip: float
) -> Tensor:
    """Clip the gradient, step; return the norm that it had before it was clipped.

    Where that is not finite, no step is taken.
    """
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    gradient_norm = clip_gradients(model.parameters(), clip)
    if math.isfinite(gradient_norm):
        optimizer.step()
    return gradient_norm


def clip_gradients(parameters: Iterable[nn.Parameter], max_norm: float) -> Tensor:
    """Scale all gradients down together if their norm is above ``max_norm``.

    So a step keeps its direction, and only a rare huge gradient is made smaller: Pascanu et al.
    (2013), as in Dive into Deep Learning (zh.d2l.ai), chapter 8.5.

    Args:
        parameters: whose gradients; those that have none are left out.
        max_norm: the highest norm; infinity leaves the gradients alone.

    Returns:
        The norm of all gradients together, before.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    gradient_norm = norm_of(gradients)
    if max_norm < math.inf:
        scale = torch.clamp(max_norm / (gradient_norm + 1e-6), max=1.0)
        torch._foreach_mul_(gradients, scale)
    return gradient_norm


class SGD(Eager):
    """Stochastic gradient descent: every parameter goes against its gradient.

    Args:
        parameters: what is learned.
        lr: learning rate, so much of the gradient is a step.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: object = None) -> None:  # type: ignore[override] # nobody gives one
        """Go one step; a closure, which other optimisers call, is none of this one's business."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.add_(parameter.grad, alpha=-group["lr"])


def norm_of(tensors: Iterable[Tensor]) -> Tensor:
    """Return the Euclidean norm of all their values together."""
    # All of them in one call: on a GPU, calls are what takes the time.
    norms = torch._foreach_norm(list(tensors))  # noqa: SLF001 - as torch's own clipping does
    total: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return total


def seed(device: torch.device, number: int) -> None:
    """Seed a device's generator; ``torch.manual_seed`` seeds all there are, and takes 0.2 ms."""
    if device.type == "cpu":
        torch.default_generator.manual_seed(number)
    else:
        torch.get_device_module(device).manual_seed(number)


def learning_rate_at(step: int, total_steps: int, config: TrainingConfig) -> float:
    """Return the learning rate of a step: a straight warm-up, then a line or half a cosine to 0."""
    warmup_steps = round(config.warmup * total_steps)
    if step < warmup_steps:
        return config.highest_rate * (step + 1) / warmup_steps
    if config.schedule == "constant":
        return config.highest_rate
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    if config.schedule == "linear":
        return config.highest_rate * (1 - progress)
    return config.highest_rate * (1 + math.cos(math.pi * progress)) / 2


def make_optimizer(model: Trainable, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return the optimiser that the settings name; weight decay is for matrices only."""
    if config.optimizer == "sgd":
        return SGD(model.parameters(), config.highest_rate)
    device = next(model.parameters()).device.type
    decayed = [p for p in model.parameters() if p.dim() > 1 and config.weight_decay > 0]
    others = [p for p in model.parameters() if p.dim() <= 1 or config.weight_decay == 0]
    groups = [(decayed, config.weight_decay), (others, 0.0)]
    return AdamW(
        # A group costs time: where nothing decays, there is one.
        [{"params": part, "weight_decay": decay} for part, decay in groups if part],
        lr=config.highest_rate,
        betas=(0.9, config.beta2),
        fused=device in ("cpu", "cuda"),  # not every torch has it for others
    )


def steps_in_epochs(batches: Batches, epochs: float) -> int:
    """Return the number of steps in so many epochs, a part of the last one included."""
    whole = int(epochs)
    # Start offsets make epochs differ by a batch: what a thousand of them tell is enough.
    counted = min(whole, 1000)
    steps = sum(map(batches.num_batches, range(counted)))
    rest = (epochs - counted) * batches.num_batches(counted)
    return max(1, steps + round(rest))
