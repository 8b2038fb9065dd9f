"""What counting alone comes to on a text: the figures that stand beside a model's.

A network that does not get below Kneser-Ney, counted in seconds, is not worth its electricity. The
trigram is what most people know.
"""

from dataclasses import dataclass

from textgen.evaluation.kneser_ney import kneser_ney_surprisals
from textgen.evaluation.perplexity import Evaluation, figures_of
from textgen.evaluation.trigram import trigram_surprisals
from textgen.text.vocab import Vocab


@dataclass(frozen=True)
class Yardsticks:
    """The figures, per character."""

    kneser_ney: Evaluation
    """Of modified Kneser-Ney of order 5."""

    trigram: Evaluation
    """Of a Witten-Bell trigram."""


def count_yardsticks(training_text: str, text: str) -> Yardsticks:
    """Judge a text, every character, by counts of another one that it is taken to follow.

    The vocabulary is that of both.
    """
    vocab = Vocab.build(training_text + text)
    training, judged = vocab.encode(training_text), vocab.encode(text)
    kneser_ney, trigram = (
        figures_of(surprisals(training, judged, len(vocab)), len(text))
        for surprisals in (kneser_ney_surprisals, trigram_surprisals)
    )
    return Yardsticks(kneser_ney, trigram)
