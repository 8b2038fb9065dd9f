"""What each character of a text costs the model that writes: its surprisal, in bits.

The judge is the writer itself, at temperature 1. It is the numpy step, one token at a time, as when
it writes; so only the text that a person gave counts as read.
"""

from collections.abc import Iterator

import numpy as np

from textgen.writing.decoder import Context, Decoder


def surprisals(decoder: Decoder, prompt: str, text: str) -> Iterator[list[float | None]]:
    """Yield the bits of the characters of the prompt, then of the text, token by token.

    A word's bits are shared out evenly among its characters. None stands where the model knows no
    such token, or never writes it.

    Args:
        decoder: the model.
        prompt: a beginning, judged as what stands at the beginning of a line; it may be empty.
        text: what goes on from it, judged with the prompt read; it may be empty, too.
    """
    line = decoder.read("\n")
    yield from _judged(decoder, prompt, line)
    yield from _judged(decoder, text, decoder.read(prompt) if prompt else line)


def _judged(decoder: Decoder, text: str, context: Context) -> Iterator[list[float | None]]:
    tokens = decoder.vocab.split(text)
    for place, token in enumerate(tokens):
        id_ = decoder.vocab[token]
        logits = context.logits[0].astype(np.float64)
        highest = logits.max()
        bits = (highest + np.log(np.exp(logits - highest).sum()) - logits[id_]) / np.log(2)
        share = round(float(bits) / len(token), 3)
        yield [share if np.isfinite(bits) else None] * len(token)
        if place < len(tokens) - 1:
            context = decoder.read_ids(np.array([[id_]], np.int32), context)
