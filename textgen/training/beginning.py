"""A model that begins with what another run has learned, read by a larger vocabulary.

What both vocabularies know keeps its row. A new character begins as its form in the other script,
or in the other punctuation, where that is known; else as the mean of all rows with a tenth of what
it would have been drawn as, so that no two are the same.

Shapes: V vocabulary, U that of the earlier run.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from textgen.language import _
from textgen.runs.beginning import Beginning
from textgen.runs.weights import shapes
from textgen.text.unknown import known_instead
from textgen.text.vocab import UNKNOWN_ID, Vocab

_OWN = 0.1
"""Share of what a new row would have been drawn as."""


@torch.no_grad()
def begin_with(
    beginning: Beginning, vocab: Vocab, model: nn.Module, gate: nn.Module | None
) -> None:
    """Put a run's weights into a model that was drawn at random, and into its gate.

    A gate of another form, which weighs other counts, stays as it is.

    Args:
        beginning: the run.
        vocab: the model's vocabulary, which has all that the run's has.
        model: of the same shape but for the vocabulary.
        gate: how far counts are trusted, if anything is counted.
    """
    rows = torch.from_numpy(rows_of(beginning.vocab, vocab))
    one, two = (shapes(vocab_size, beginning.model) for vocab_size in (1, 2))
    for name, parameter in model.named_parameters():
        earlier = torch.from_numpy(beginning.weights.network[name]).to(parameter)
        differs = [a != b for a, b in zip(one[name], two[name], strict=True)]
        if any(differs):  # a row, or a column, for each token
            axis = differs.index(True)
            _spread(parameter.movedim(axis, 0), earlier.movedim(axis, 0), rows)
        else:
            parameter.copy_(earlier)
    if gate is not None and fits(beginning, gate):
        for name, parameter in gate.named_parameters():
            parameter.copy_(torch.from_numpy(beginning.weights.gate[name]))


def told(beginning: Beginning, vocab: Vocab, gate: nn.Module | None) -> Iterator[str]:
    """Yield in words what a model begins with; see ``begin_with``."""
    new = int((rows_of(beginning.vocab, vocab) < 0).sum())
    yield _("Begun with the weights of {name}: of {count:,} {units}, {new:,} are new to it").format(
        name=beginning.name, count=len(vocab) - 1, units=vocab.units, new=new
    )
    if gate is not None and beginning.text:
        yield _("{count:,} characters that it learned from are counted as well").format(
            count=len(beginning.text)
        )
    if gate is not None and not fits(beginning, gate):
        yield _(
            "How far to trust counts is learned anew: {name} has none, or weighs others"
        ).format(name=beginning.name)


def fits(beginning: Beginning, gate: nn.Module) -> bool:
    """Return whether a run's gate weighs the same counts as this one."""
    shapes = {name: tuple(one.shape) for name, one in gate.named_parameters()}
    return shapes == {name: one.shape for name, one in beginning.weights.gate.items()}


@lru_cache(maxsize=1)  # a training asks several times, and OpenCC takes its time
def rows_of(earlier: Vocab, vocab: Vocab) -> NDArray[np.int64]:
    """Return which row of the earlier vocabulary each token begins with, (V,); -1 for none."""
    rows = np.full(len(vocab), -1)
    for id_, token in enumerate(vocab.tokens):
        if token in earlier:
            rows[id_] = earlier[token]
        else:
            rows[id_] = next((earlier[one] for one in known_instead(earlier, token)), -1)
    rows[UNKNOWN_ID] = UNKNOWN_ID
    return rows


def _spread(drawn: Tensor, earlier: Tensor, rows: Tensor) -> None:
    """Give each row of ``drawn`` (V, ...) what it begins with, from the earlier ones (U, ...)."""
    known = (rows >= 0).to(drawn.device)
    drawn[~known] = earlier.mean(dim=0) + _OWN * drawn[~known]
    drawn[known] = earlier[rows[rows >= 0].to(drawn.device)]
