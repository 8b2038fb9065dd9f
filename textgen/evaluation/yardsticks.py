"""What counting alone comes to on a text: the figures that stand beside a model's.

A network that does not get below Kneser-Ney, counted in seconds, is not worth its electricity. The
trigram is what most people know.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textgen.counts.excerpt import Excerpt
from textgen.evaluation.kneser_ney import ORDER, kneser_ney_surprisals
from textgen.evaluation.perplexity import Evaluation, Passage, figures_of
from textgen.evaluation.sample import Sample
from textgen.evaluation.trigram import trigram_surprisals
from textgen.text.tokens import looked_up
from textgen.text.vocab import TokenIds, Vocab


@dataclass(frozen=True)
class Yardsticks:
    """The figures, per character."""

    kneser_ney: Evaluation
    """Of modified Kneser-Ney of order 5."""

    trigram: Evaluation
    """Of a Witten-Bell trigram."""

    @property
    def by_name(self) -> dict[str, float]:
        """The figures as ``config.json`` has them."""
        return {
            "kneser_ney_bits_per_character": self.kneser_ney.bits_per_character,
            "trigram_bits_per_character": self.trigram.bits_per_character,
        }


def count_yardsticks(
    training_text: str,
    text: str,
    most: int | None = None,
    sample: Sample | None = None,
    end: str | None = None,
) -> Yardsticks:
    """Judge a text by counts of another one that it is taken to follow.

    The vocabulary is that of both.

    Args:
        training_text: what is counted, of N characters.
        text: what is judged, of M characters.
        most: of a longer training text, so many characters spread over it are counted.
        sample: which of the M characters are judged; all when not given.
        end: what closes an item, in a text of items; none is told of the one before it.
    """
    vocab = Vocab.build(training_text + text)
    tokens = vocab.encode((end or "") + training_text)
    counted = Excerpt.of(len(tokens), most).take(tokens)
    passage = Passage.of(vocab, text, training_text, end)
    return judge_by_counts(counted, passage, len(vocab), sample)


def judge_by_counts(
    counted: TokenIds, passage: Passage, vocab_size: int, sample: Sample | None = None
) -> Yardsticks:
    """Judge a text whose tokens are characters by counts of another one.

    Args:
        counted: what is counted, ids (n,).
        passage: what is judged, of M characters.
        vocab_size: V, of both.
        sample: which of the M characters are judged; all when not given.
    """
    sample = sample or Sample.of(passage.count)
    bits = []
    for surprisals, history in ((kneser_ney_surprisals, ORDER - 1), (trigram_surprisals, 2)):
        if passage.end is None:
            learned, (pieces, kept) = counted, _pieces(passage, sample)
        else:
            learned, _ = _apart(counted, passage.end, history)
            pieces, places = _apart(passage.ids[:], passage.end, history)
            kept = np.isin(np.arange(len(pieces)), places[sample.places])
        costs = surprisals(learned, pieces, vocab_size) + passage.unknown_bits(pieces)
        bits.append(costs[kept])
    return Yardsticks(*(figures_of(one, len(one)) for one in bits))


def _apart(tokens: TokenIds, end: int, history: int) -> tuple[TokenIds, NDArray[np.int64]]:
    """Return items with as many ends between them as a history is long, and where each token is.

    So the longest history before an item's first token is of ends alone, and stands nowhere else.
    """
    times = np.where(tokens == end, history, 1)
    return np.repeat(tokens, times), np.cumsum(times) - times


def _pieces(passage: Passage, sample: Sample) -> tuple[TokenIds, NDArray[np.bool_]]:
    """Return a sample's rows as one text, each behind its context, and which of it is judged."""
    begins = np.arange(sample.rows)[:, None] * sample.step
    places = begins + np.arange(-min(ORDER - 1, len(passage.context)), sample.length)
    there = places < passage.count
    judged = there & (places >= begins)
    return looked_up(passage.ids, passage.context, places)[there], judged[there]
