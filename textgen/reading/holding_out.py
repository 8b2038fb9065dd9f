"""What of many texts is held out: whole ones, or the end of each."""

import logging
from collections.abc import Sequence

from textgen.config import StoreConfig

log = logging.getLogger(__name__)


def held_out_of(lengths: Sequence[int], config: StoreConfig) -> list[int]:
    """Return how many characters at the end of each text are held out: all of some, or of each.

    Args:
        lengths: characters of each text.
        config: which share, and how.
    """
    if config.held_out_by == "end" or config.held_out == 0:
        return [int(config.held_out * length) for length in lengths]
    if len(lengths) == 1:
        log.info("This is one text: its end is held out, since not all of it can be")
        return [int(config.held_out * lengths[0])]
    chosen = _evenly(lengths, config.held_out)
    if not any(chosen):  # too few, or too long ones: then the shortest
        chosen[lengths.index(min(lengths))] = True
    return [length if whole else 0 for length, whole in zip(lengths, chosen, strict=True)]


def _evenly(lengths: Sequence[int], share: float) -> list[bool]:
    """Return which texts to hold out, so that of what has gone by it is always about the share."""
    chosen, gone, held_out = [], 0, 0
    for length in lengths:
        gone += length
        # Half a text too early is as good as half a text too late.
        whole = held_out + length / 2 <= share * gone
        held_out += length * whole
        chosen.append(whole)
    return chosen
