"""Writing on from a beginning: sampling as a pure function, and a stream of tokens.

Shapes: T tokens in the prefix, V vocabulary.
"""

import secrets
from collections.abc import Iterator

import torch
from torch import Tensor

from textgen.config import GenerationConfig
from textgen.errors import UsageError
from textgen.lstm import State
from textgen.models import LanguageModel
from textgen.vocab import UNKNOWN_ID, Vocab

_CHUNK = 1024
"""Tokens of a prefix that are read at once: a prefix of any length needs no more memory."""


def sample(logits: Tensor, temperature: float, generator: torch.Generator) -> int:
    """Draw one token.

    Args:
        logits: (V,), on the processor.
        temperature: what the logits are divided by; 0 takes the likeliest token.
        generator: where the randomness comes from.

    Returns:
        The token's id, never that of ``<unk>``.
    """
    logits = logits.double()
    logits[UNKNOWN_ID] = -torch.inf
    if temperature == 0:
        return int(logits.argmax())
    # Less the highest, so that a temperature near 0 divides no large number into infinity.
    probabilities = torch.softmax((logits - logits.max()) / temperature, dim=0)
    return int(torch.multinomial(probabilities, 1, generator=generator))


def new_seed() -> int:
    """Return a seed for who gave none; it is told, so that the text can be had again."""
    return secrets.randbelow(2**31)


def generate(
    model: LanguageModel,
    vocab: Vocab,
    prefix: str,
    config: GenerationConfig = GenerationConfig(),
) -> Iterator[str]:
    """Warm the state up over a prefix, then yield what follows it, token by token.

    Args:
        model: the language model, on any device.
        vocab: its vocabulary; what it does not know of the prefix is read as ``<unk>``.
        prefix: the beginning, at least one character; it is not yielded.
        config: length in characters, temperature, seed.

    Raises:
        UsageError: the prefix is empty.
    """
    if not prefix:
        raise UsageError("--prefix is empty: it must have at least one character to go on from")
    seed = new_seed() if config.seed is None else config.seed
    generator = torch.Generator().manual_seed(seed)
    logits, state = read_prefix(model, vocab, prefix)
    return _stream(model, vocab, logits, state, config, generator)


@torch.inference_mode()
def read_prefix(model: LanguageModel, vocab: Vocab, prefix: str) -> tuple[Tensor, State]:
    """Return the logits (V,) of what follows a prefix, and the state after it."""
    model.eval()
    device = model.output.weight.device
    state = model.begin_state(1, device)
    for tokens in torch.from_numpy(vocab.encode(prefix)).to(device)[None].split(_CHUNK, dim=1):
        features, state = model.features(tokens, state)
    return model.output(features[0, -1]).float().cpu(), state


def _stream(
    model: LanguageModel,
    vocab: Vocab,
    logits: Tensor,
    state: State,
    config: GenerationConfig,
    generator: torch.Generator,
) -> Iterator[str]:
    device = model.output.weight.device
    written = 0
    while True:
        token = sample(logits, config.temperature, generator)
        yield vocab.tokens[token]
        written += len(vocab.tokens[token])
        if written >= config.length:
            return
        # Entered anew for every token: a generator must not leave it on for its caller.
        with torch.inference_mode():
            next_logits, state = model(torch.tensor([[token]], device=device), state)
            logits = next_logits[0, -1].float().cpu()
