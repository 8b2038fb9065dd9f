"""Held-out bits of a new author's text: begun with a run of other texts, and from scratch."""

import argparse
from pathlib import Path

import torch

from benchmarks.quality import marks
from textgen.config import Settings
from textgen.reading.corpus import Corpus, read_corpus
from textgen.runs.beginning import Beginning
from textgen.runs.folder import Run
from textgen.training.texts import Text


def bits(
    corpus: Corpus, characters: int, seconds: float, beginning: Beginning | None
) -> tuple[float, float]:
    """Train for so many processor seconds; return the lowest bits on the way, and the last ones.

    With all that a model has, and as it reads; judged on the same characters each time.
    """
    settings = Settings.of(minutes=seconds / 60, max_tokens=characters)
    settings = settings if beginning is None else beginning.fitted(settings)
    source = Text.of(corpus, settings, beginning)
    found = []
    for mark in marks(source, settings, seconds, whole=True):
        found.append(mark.figures.model.bits_per_character)
        print(f"{mark.spent:7.0f} {mark.steps:7,} {mark.epochs:8.2f} {found[-1]:8.4f}", flush=True)
    return min(found), found[-1]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench transfer", description=__doc__)
    parser.add_argument("run", type=Path, help="the folder of a run of other authors' texts")
    parser.add_argument("novel", type=Path, nargs="+")
    parser.add_argument("--characters", type=int, action="append", help="200,000 and 27,000")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the processor, for each")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    beginning = Beginning.of(Run(chosen.run))
    lines = []
    for novel in chosen.novel:
        corpus = read_corpus([novel])
        for characters in chosen.characters or (200_000, 27_000):
            print(f"{novel}, {characters:,} characters, from scratch", flush=True)
            fresh, fresh_last = bits(corpus, characters, chosen.seconds, None)
            print(f"{novel}, {characters:,} characters, from {beginning.name}", flush=True)
            begun, begun_last = bits(corpus, characters, chosen.seconds, beginning)
            lines.append(
                f"{novel.name}, {characters:,}: {fresh:.3f} -> {begun:.3f} at their best "
                f"({begun / fresh - 1:+.1%}), {fresh_last:.3f} -> {begun_last:.3f} at their end "
                f"({begun_last / fresh_last - 1:+.1%})"
            )
    print("\n".join(lines))
