"""The memory that a training will take, reckoned before it takes any, and what there is.

Shapes: B rows, T steps, V vocabulary.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from textgen.config import Settings
from textgen.errors import TextgenError
from textgen.language import Message
from textgen.model.device import choose_device
from textgen.runs.weights import GATES, shapes

_BYTES = 4
_SAMPLED = 4096
"""Classes at most that a sampled softmax computes at once, about."""

_GROUPS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current", ""),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
)
"""Where Linux tells what a container may take and has taken, in its two ways."""

_CACHED = ("active", "inactive")
"""Of what was taken, what only keeps files at hand and is given back when it is needed."""


def estimate(settings: Settings, vocab_size: int) -> int:
    """Return about how many bytes a training takes beside the text and the program.

    Weights, their gradients, what the optimiser remembers of them, and a checkpoint of all that;
    what each step keeps of each layer for the way back; and the logits with their gradient.
    """
    model, training = settings.model, settings.training
    resolved = model.resolved()
    weights = sum(math.prod(shape) for shape in shapes(vocab_size, model).values())
    moments = 2 if training.optimizer == "adamw" else 0
    places = training.rows * training.num_steps
    width = (GATES[model.cell] + 2) * resolved.hidden_size * model.num_layers
    classes = vocab_size if model.softmax == "full" else min(vocab_size, _SAMPLED)
    kept = places * (resolved.num_networks * (width + resolved.embedding_size) + 2 * classes)
    return _BYTES * (weights * (2 + moments + 1 + moments) + kept)


def require_memory(settings: Settings, vocab_size: int) -> None:
    """Refuse a training that cannot fit into the memory there is; that of a GPU is not looked at.

    Raises:
        TextgenError: it cannot, with a size that would.
        UsageError: the device is not to be had.
    """
    there = available()
    needed = estimate(settings, vocab_size)
    if there is None or needed <= there or choose_device(settings.training.device).type != "cpu":
        return
    raise TextgenError(
        "this training takes about {needed:,.1f} GiB of memory, and there are "
        "{there:,.1f}: {advice}",
        needed=needed / 2**30,
        there=there / 2**30,
        advice=_that_fits(settings, vocab_size, there),
    )


def _that_fits(settings: Settings, vocab_size: int, there: int) -> Message:
    """Return in words what can be made smaller so that it fits."""
    sizes = (
        ("num_networks", "model", settings.model.resolved().num_networks),
        ("batch_size", "training", settings.training.rows),
        ("hidden_size", "model", settings.model.resolved().hidden_size),
    )
    for name, part, size in sizes:
        for halvings in range(1, size.bit_length()):
            smaller = replace(getattr(settings, part), **{name: size >> halvings})
            if estimate(replace(settings, **{part: smaller}), vocab_size) <= there:
                return Message(
                    "--{flag} {size} would fit",
                    flag=name.replace("_", "-"),
                    size=size >> halvings,
                )
    return Message("take less of everything, or another machine")


def available() -> int | None:
    """Return the bytes that this process may still take, or nothing where nobody tells."""
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024
    for folder, limit, used, whole in _GROUPS:
        most, now = _read(f"{folder}/{limit}").strip(), _read(f"{folder}/{used}").strip()
        if most.isdecimal() and now.isdecimal():
            counts = dict(line.split() for line in _read(f"{folder}/memory.stat").splitlines())
            cached = sum(int(counts.get(f"{whole}{kind}_file", 0)) for kind in _CACHED)
            yield max(0, int(most) - int(now) + cached)
    try:
        import resource
    except ImportError:  # Windows
        return
    most_addresses, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _read("/proc/self/statm").split()
    if most_addresses != resource.RLIM_INFINITY and pages:
        yield max(0, most_addresses - int(pages[0]) * resource.getpagesize())


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except (OSError, ValueError):
        return ""
