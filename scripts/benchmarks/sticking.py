"""Does what a model writes repeat itself, or its training text? With counts and without."""

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import torch

from textgen.config import GenerationConfig
from textgen.evaluation.copying import TrainingText
from textgen.runs.trained import Trained, load
from textgen.writing.decoder import Decoder
from textgen.writing.generation import write_several

TEXTS, LENGTH = 10, 1000
PREFIX = "\n"


def sticking(runs: list[Path]) -> None:
    """Write 10,000 characters of each run, and print how varied they are."""
    print(
        "run, temperature, who                   distinct 4-grams    copied    longest repetition"
    )
    for folder in runs:
        trained = load(folder)
        original = TrainingText(trained.run.split()[0])
        held_out = trained.run.split()[1][: TEXTS * LENGTH]
        pieces = [held_out[first : first + LENGTH] for first in range(0, len(held_out), LENGTH)]
        _print(f"{trained.run.name}, the held-out text itself", pieces, original)
        for temperature in (0.8, 1.0):
            for who, writer in (("network", replace(trained, learned=None)), ("product", trained)):
                name = f"{trained.run.name}, {temperature}, {who}"
                _print(name, _written(writer, temperature), original)


def _written(trained: Trained, temperature: float) -> list[str]:
    decoder = Decoder.of(trained)
    config = GenerationConfig(length=LENGTH, temperature=temperature, seed=0)
    texts = [""] * TEXTS
    for number, piece, _ in write_several(decoder, decoder.read(PREFIX), config, range(TEXTS)):
        texts[number] += piece
    return texts


def _print(name: str, texts: list[str], original: TrainingText) -> None:
    distinct = sum(map(distinct_share, texts)) / len(texts)
    copied = sum(original.copied_by(text).share for text in texts) / len(texts)
    longest = max(map(longest_repetition, texts))
    print(f"{name:40} {distinct:15.3f} {copied:9.1%} {longest:21}", flush=True)


def distinct_share(text: str) -> float:
    """Return the share of a text's stretches of four characters that are different ones."""
    grams = Counter(text[first : first + 4] for first in range(len(text) - 3))
    return len(grams) / max(1, grams.total())


def longest_repetition(text: str) -> int:
    """Return the length of the longest stretch that a text has twice."""
    length = 0
    while len({text[i : i + length + 1] for i in range(len(text) - length)}) < len(text) - length:
        length += 1
    return length


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench sticking", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders")
    torch.set_num_threads(1)
    sticking(parser.parse_args(arguments).runs)
