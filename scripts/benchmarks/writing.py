"""Text from the default model; how well it writes makes no difference to how fast."""

import torch
from baselines import write_by_modules

from benchmarks.timing import Clock, Row
from textgen.config import GenerationConfig, ModelConfig
from textgen.model.network import RNNModel
from textgen.text.vocab import Vocab
from textgen.training.samples import decoder_of
from textgen.writing.generation import write_on, write_several

_LENGTH = 50
"""Characters of each text that are written in a go."""


def generation(text: str, clock: Clock) -> list[Row]:
    """Write one text, against module calls for each character; and 64, against one."""
    vocab = Vocab.build(text)
    torch.manual_seed(0)
    model = RNNModel(len(vocab), ModelConfig()).eval()
    decoder = decoder_of(model, vocab)
    beginning = text[:10]
    context = decoder.read(beginning)
    ids = torch.from_numpy(vocab.encode(beginning)).long()[None]
    config = GenerationConfig(length=_LENGTH, seed=0)
    one, many, theirs = (
        seconds / (texts * _LENGTH)
        for seconds, texts in zip(
            clock.medians(
                lambda: sum(1 for _ in write_on(decoder, context, config)),
                lambda: sum(1 for _ in write_several(decoder, context, config, range(64))),
                lambda: write_by_modules(model, ids, _LENGTH, config.temperature),
            ),
            (1, 64, 1),
            strict=True,
        )
    )
    return [
        Row("generation, one continuation", one, theirs, 3.0, f"{1 / one:,.0f} characters/s"),
        Row(
            "generation, 64 continuations",
            many,
            one,
            1.0,
            f"{1 / many:,.0f} characters/s, {theirs / many:.1f} x the module calls",
        ),
    ]
