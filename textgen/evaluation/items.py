"""How items are read to be judged: each from a fresh state on, those of similar length together.

Shapes: M tokens of the text, R rows, at most T columns, n of the places judged.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from textgen.evaluation.sample import ROWS, Sample
from textgen.text.item_batches import ItemBatches, Spans
from textgen.text.tokens import PlacesAsTokens
from textgen.text.vocab import TokenIds


def pieces(
    ids: TokenIds, end: int, sample: Sample, columns: int
) -> Iterator[tuple[Tensor, Tensor, bool]]:
    """Yield the items of a text a piece at a time.

    Args:
        ids: the text, (M,); its last item may be open.
        end: the id of what closes an item.
        sample: which places are judged. An item is read from its beginning on to the last of its
            places that is, and not at all where none is.
        columns: T.

    Yields:
        What is read, (R, T); the places of the text that come next, (R, T), below 0 where none is
        judged; and whether the rows go on where those of the piece before stopped.
    """
    tokens = np.concatenate([[np.int32(end)], ids])
    spans, places = Spans.of(tokens, end), sample.places
    # That of an item's first token is where the end before it stands among the tokens.
    first, last = (
        np.searchsorted(places, bound) for bound in (spans.begins, spans.begins + spans.lengths)
    )
    begins = spans.begins[last > first]
    spans = Spans(begins, places[last[last > first] - 1] + 1 - begins)
    batches = ItemBatches(PlacesAsTokens(len(tokens)), spans, ROWS, columns)
    judged = torch.zeros(len(tokens), dtype=torch.bool)
    judged[places + 1] = True
    whole = torch.from_numpy(tokens)
    for batch, (x, y) in enumerate(batches.epoch(0)):
        there = (y >= 0) & judged[y.clamp(min=0)]
        yield whole[x], (y - 1).where(there, -1), batches.goes_on(0, batch)
