"""Writing on from a beginning, token by token, one text or many side by side."""

import os
import secrets
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from textgen.config import GenerationConfig
from textgen.interrupts import StopRequest
from textgen.runs.trained import Trained, as_trained
from textgen.writing.decoder import Context, Decoder
from textgen.writing.endings import Ending
from textgen.writing.one_thread import one_thread

_ROWS = 64
"""Texts that are written side by side on a core; more of them come one batch after the other."""


def new_seed() -> int:
    """Return a seed for who gave none; it is told, so that the text can be had again."""
    return secrets.randbelow(2**31)


@dataclass(frozen=True)
class Step:
    """One token more in each of B texts."""

    samples: list[int]
    """The texts' numbers."""

    pieces: list[str]
    """What of each can be shown now; it may be empty."""

    endings: list[Ending]
    """How near each is to its end."""

    context: Context
    """After the tokens."""


def write_on(
    decoder: Decoder,
    context: Context,
    config: GenerationConfig,
    samples: Sequence[int] = (0,),
    stops: Sequence[str] = (),
) -> Iterator[Step]:
    """Yield step after step until every text has ended.

    Args:
        decoder: the model.
        context: where all the texts begin, of one text.
        config: how to draw, and where to end.
        samples: the texts' numbers: text 3 of a seed is the same, whichever others are asked for.
        stops: more stop texts than the config's one; a text ends before the first that comes.
    """
    seed = new_seed() if config.seed is None else config.seed
    numbers = list(samples)
    random = {number: np.random.default_rng([seed, number]) for number in numbers}
    endings = [decoder.ending(config, stops)] * len(numbers)
    context = context.rows([0] * len(numbers))
    while numbers:
        uniforms = [random[number].random() for number in numbers]
        drawn, context = decoder.step(context, config, uniforms)
        tokens = [decoder.vocab.tokens[token] for token in drawn]
        fed = [ending.feed(token) for ending, token in zip(endings, tokens, strict=True)]
        endings = [ending for _, ending in fed]
        yield Step(numbers, [piece for piece, _ in fed], endings, context)
        going = [row for row, ending in enumerate(endings) if ending.over is None]
        if len(going) < len(numbers):
            numbers = [numbers[row] for row in going]
            endings = [endings[row] for row in going]
            context = context.rows(going)


def write_several(
    decoder: Decoder, context: Context, config: GenerationConfig, samples: Sequence[int]
) -> Generator[tuple[int, str, Ending]]:
    """Yield the pieces of one text after the other, each with its number and its ending.

    The texts are written side by side, on all cores. Those of the first come as they are written;
    of a later one, what there is already comes as soon as the ones before it have ended.

    Args:
        decoder: the model.
        context: where all the texts begin, of one text.
        config: how to draw, with a seed where there are several texts, and where to end.
        samples: the texts' numbers. Who wants no more of them closes the generator.
    """
    if len(samples) == 1:
        with one_thread():  # at every token it would take longer to ask for
            yield from _entries(decoder, context, config, samples)
        return
    cores = min(os.cpu_count() or 1, len(samples))
    pieces: dict[int, SimpleQueue[tuple[str, Ending] | None]] = {n: SimpleQueue() for n in samples}
    stop = StopRequest()

    def write(numbers: Sequence[int]) -> None:
        try:
            for number, piece, ending in _entries(decoder, context, config, numbers):
                pieces[number].put((piece, ending))
                if stop.asked:
                    break
        finally:
            for number in numbers:
                pieces[number].put(None)

    with one_thread(), ThreadPoolExecutor(cores) as pool, ExitStack() as leaving:
        leaving.callback(stop.ask)  # before the pool waits for those who write
        work = [pool.submit(write, samples[core::cores]) for core in range(cores)]
        for number in samples:
            for piece, ending in iter(pieces[number].get, None):
                yield number, piece, ending
                if ending.over is not None:
                    break
    for part in work:
        part.result()  # it raises what went wrong there


def _entries(
    decoder: Decoder, context: Context, config: GenerationConfig, samples: Sequence[int]
) -> Iterator[tuple[int, str, Ending]]:
    """Yield the pieces of texts that are written on one core, as they come."""
    for first in range(0, len(samples), _ROWS):
        for step in write_on(decoder, context, config, samples[first : first + _ROWS]):
            yield from zip(step.samples, step.pieces, step.endings, strict=True)


def generate(
    trained: Trained | Path | str, prefix: str, config: GenerationConfig = GenerationConfig()
) -> Iterator[str]:
    """Yield what a trained model writes on from a beginning, token by token.

    Args:
        trained: what ``load`` returns, or the name or the folder of a run.
        prefix: the beginning, at least one character; it is not yielded.
        config: how to draw, and where to end.

    Raises:
        TextgenError: the prefix is empty, or there is no such run.
    """
    return continuation(Decoder.of(as_trained(trained)), prefix, config)


def continuation(
    decoder: Decoder, prefix: str, config: GenerationConfig = GenerationConfig()
) -> Iterator[str]:
    """Read a prefix at once, then yield what follows it, token by token.

    Args:
        decoder: the model.
        prefix: the beginning, at least one character; it is not yielded.
        config: how to draw, and where to end.

    Raises:
        UsageError: the prefix is empty.
    """
    steps = write_on(decoder, decoder.read(prefix), config)
    return (step.pieces[0] for step in steps if step.pieces[0])


def written(decoder: Decoder, config: GenerationConfig) -> str:
    """Return a text of a model's own; of one that writes items, as many as make up the length."""
    if decoder.end is None:
        return "".join(continuation(decoder, "\n", config))
    context, text = decoder.read(""), ""
    for number in count():
        steps = write_on(decoder, context, config, [number])
        text += "".join(step.pieces[0] for step in steps) + decoder.end
        if len(text) >= config.length:
            break
    return text
