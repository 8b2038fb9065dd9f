"""What a network that is being trained writes: by the same code as a trained one's.

The weights are shared with the modules, not copied, and a text of a hundred characters takes some
twenty milliseconds; the modules themselves would take ten times as long.
"""

from collections.abc import Sequence

from textgen.config import GenerationConfig
from textgen.counts.mixer import Mixer
from textgen.counts.product import Counts
from textgen.model.language_model import LanguageModel
from textgen.runs.checkpoint import arrays_of
from textgen.text.vocab import Vocab
from textgen.writing.decoder import Decoder
from textgen.writing.generation import continuation

_SAMPLE = GenerationConfig(length=60, seed=0)
_ITEM = GenerationConfig(length=200, seed=0)
_CONTINUED = GenerationConfig(length=30, temperature=0)
"""How the prefixes are continued that the settings name: as in the source document."""


def decoder_of(
    model: LanguageModel, vocab: Vocab, counts: Counts | None = None, end: str | None = None
) -> Decoder:
    """Return a network, as it is now, made ready to write.

    Args:
        model: the network, on any device; its weights must not change while it writes.
        vocab: its vocabulary.
        counts: what is known beside it, if anything is.
        end: what closes an item, where it learns items.

    Raises:
        UsageError: the network reads in both directions.
    """
    model.require_one_direction()
    mixer = None if counts is None else Mixer(arrays_of(counts.product), counts.learned)
    return Decoder(arrays_of(model), model.config.cell, vocab, mixer, end)


def sample_of(decoder: Decoder, prefixes: Sequence[str]) -> str:
    """Return what a network writes now: of each prefix a line, or a text or an item of its own."""

    def written(prefix: str, config: GenerationConfig) -> str:
        return "".join(continuation(decoder, prefix, config))

    lines = [prefix + written(prefix, _CONTINUED) for prefix in prefixes]
    of_its_own = _SAMPLE if decoder.end is None else _ITEM
    return "\n".join(line.replace("\n", " ") for line in lines) or written("\n", of_its_own)
