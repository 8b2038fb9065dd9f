"""Dynamic evaluation: a model that goes on learning from the text that it is judged on.

The text is judged in order, a short segment at a time. Every segment is judged with the weights
as they stand, and only then learned from, with one step: no character is learned before it is
judged, so the figure is honest. But it is the figure of a model that adapts, not to be compared
with that of one that stands still.

Source: Mikolov et al. (2010), chapter 2; the rule is that of Krause et al. (2018), "Dynamic
Evaluation of Neural Sequence Models", without its decay towards the trained weights:

    W = W - learning rate * gradient / (r + mean of all r)

where r, of each weight, is the root of the mean square that its gradient had over samples of the
training text. A weight whose gradient was always small takes steps as big as the others'; one that
the samples never moved does not take bigger ones, for which the mean is there.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textgen.bars import progress_bar
from textgen.counts.adapting import as_it_reads
from textgen.counts.product import Counts
from textgen.evaluation.perplexity import CONTEXT, Evaluation, Passage, read_in_order, to_bits
from textgen.language import _
from textgen.model.language_model import LanguageModel
from textgen.text.vocab import Vocab

LEARNING_RATE = 5e-4
"""The most that a usual step changes a weight by; docs/performance.md tells what others gave."""

SEGMENT = 20
"""Tokens judged and learned from at a time; 40 take two thirds of the time, and gain less."""

_SAMPLES = 20
"""Places, evenly spread over the training text, where gradients are sampled; if short, fewer."""

_SAMPLE = 10 * SEGMENT
"""Characters read at each of them."""

_EPSILON = 1e-8
"""Adam's: so that nothing is divided by 0 where there is nothing left to learn."""

_BAR_DELAY = 2.0
"""Seconds after which there is a progress bar."""


def evaluate_dynamically(
    model: LanguageModel,
    vocab: Vocab,
    passage: Passage,
    learned: str,
    learning_rate: float = LEARNING_RATE,
    counts: Counts | None = None,
) -> Evaluation:
    """Judge a text with a copy of a model that learns from each segment once it is judged.

    Args:
        model: the language model, on any device; it stays as it is.
        vocab: its vocabulary.
        passage: the text to judge.
        learned: the text that the model was trained on, which scales the steps; not empty.
        learning_rate: 0 is ``evaluate_text``.
        counts: what the model knows beside the network; it is judged with them, and learns alone.
    """
    bits = dynamic_surprisals(model, vocab, passage, learned, learning_rate, counts)
    return passage.figures(bits)


def dynamic_surprisals(
    model: LanguageModel,
    vocab: Vocab,
    passage: Passage,
    learned: str,
    learning_rate: float = LEARNING_RATE,
    counts: Counts | None = None,
) -> NDArray[np.float64]:
    """Return the bits (M,) that each token costs; the arguments are ``evaluate_dynamically``'s."""
    adapting = _without_dropout(model)
    parameters = list(adapting.parameters())
    end, judged_before = None if passage.end is None else vocab.tokens[passage.end], 0
    scales = _gradient_scales(adapting, vocab, learned, end)
    nats: list[Tensor] = []
    count = len(passage.ids)
    if counts is not None:
        reading = counts.learned.reading(passage.ids[:], passage.context)
        product = as_it_reads(counts.product, model.vocab_size, alone=end is not None)
    with progress_bar(count, vocab.units, _("adapting"), delay=_BAR_DELAY) as bar:
        for features, logits, costs in read_in_order(adapting, passage, SEGMENT):
            judged = costs.detach()
            if counts is not None:
                places = np.arange(judged_before, judged_before + len(costs))
                experts = counts.learned.consult(reading.seen(places, hidden=end is not None))
                targets = torch.from_numpy(passage.ids[places]).to(judged.device).long()
                with torch.no_grad():
                    judged = -product.judge(features, logits, experts, targets)[0]
            nats.append(judged)
            judged_before += len(costs)
            gradients = torch.autograd.grad(costs.mean(), parameters)
            with torch.no_grad():
                for parameter, gradient, scale in zip(parameters, gradients, scales, strict=True):
                    parameter.addcdiv_(gradient, scale, value=-learning_rate)
            bar.update(len(costs))
    return to_bits(torch.cat(nats)) + passage.unknown_bits(passage.ids[:])


def _without_dropout(model: LanguageModel) -> LanguageModel:
    """Return a copy that has no dropout; it is in training mode, as cuDNN needs it to learn."""
    copied = type(model)(
        model.vocab_size, replace(model.config, dropout=0.0, recurrent_dropout=0.0)
    )
    copied.load_state_dict(model.state_dict())
    return copied.to(model.device).train()


def _gradient_scales(
    model: LanguageModel, vocab: Vocab, learned: str, end: str | None
) -> list[Tensor]:
    """Return of each parameter what its gradients are divided by, of the parameter's shape."""
    parameters = list(model.parameters())
    squares = [torch.zeros_like(parameter) for parameter in parameters]
    count = 0
    for costs in _sampled(model, vocab, learned, end):
        gradients = torch.autograd.grad(costs.mean(), parameters)
        for square, gradient in zip(squares, gradients, strict=True):
            square.addcmul_(gradient, gradient)
        count += 1
    roots = [square.div_(count).sqrt_() for square in squares]
    mean = sum(root.sum() for root in roots) / sum(root.numel() for root in roots)
    return [root + mean + _EPSILON for root in roots]


def _sampled(model: LanguageModel, vocab: Vocab, learned: str, end: str | None) -> Iterator[Tensor]:
    """Yield what the tokens of segments from all over a text cost, in nats, (T,) each."""
    last = max(0, len(learned) - _SAMPLE)
    for start in np.unique(np.linspace(0, last, _SAMPLES, dtype=int)).tolist():
        text, before = learned[start : start + _SAMPLE], learned[max(0, start - CONTEXT) : start]
        passage = Passage.of(vocab, text, before, end)
        for *_others, costs in read_in_order(model, passage, SEGMENT):
            yield costs
