"""``counts.safetensors``: what counting knows of the training text, ready to be looked up.

With it a run writes at once, and also where its ``text.txt`` is gone. It gives away nearly as much
as the text does: what followed every three or more tokens, and so, piece by piece, the text itself.
Whoever may not give that away leaves the file out; the run then writes by its network alone.
"""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from textgen.counts.experts import Form
from textgen.counts.histories import Followers, Histories
from textgen.counts.learned import Learned
from textgen.errors import TextgenError
from textgen.files import write_atomically

_SKIP = "skip"


def _names(form: Form) -> list[str]:
    """Return what the file calls the histories: by length, and those that skip."""
    lengths = [f"{length}" for length in range(1, form.longest + 1)]
    return lengths + [f"{_SKIP}{skipped}" for skipped in range(1, form.skips + 1)]


def save_counts(path: Path, learned: Learned) -> None:
    """Write what was counted.

    Raises:
        OSError: the file cannot be written.
    """
    arrays = {"frequencies": learned.frequencies}
    for name, followers in zip(_names(learned.form), learned.histories.followers, strict=True):
        arrays |= {f"{name}.{part}": values for part, values in vars(followers).items()}
    write_atomically(path, save(arrays))


def load_counts(path: Path, vocab_size: int, end: int | None = None) -> Learned:
    """Undo ``save_counts``; where histories stood is not in the file.

    Args:
        path: the file.
        vocab_size: V.
        end: the id of what closes an item, in a text of items.

    Raises:
        TextgenError: the file is damaged, or of another vocabulary.
    """
    try:
        arrays = load(path.read_bytes())
        names = [name.removesuffix(".first") for name in arrays if name.endswith(".first")]
        skips = sum(name.startswith(_SKIP) for name in names)
        followers = [
            Followers(*(arrays[f"{name}.{part}"] for part in ("first", "tokens", "counts")))
            for name in _names(Form(len(names) - skips, skips))
        ]
        histories = Histories(followers, vocab_size, skips, end=end)
        learned = Learned(histories, arrays["frequencies"])
        if learned.frequencies.shape != (vocab_size,):
            raise TextgenError(
                "{path} is of another vocabulary than the vocab.json beside it", path=path
            )
        whole = _is_whole(learned)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, IndexError):
        whole = False
    if not whole:
        raise TextgenError(
            "{path} is damaged: remove it, and what text.txt says is counted anew", path=path
        )
    return learned


def _is_whole(learned: Learned) -> bool:
    """Return whether all that is looked up in the histories is there, and every share is one."""
    histories = learned.histories
    followers, longest, vocab_size = histories.followers, histories.longest, histories.vocab_size
    shares = learned.frequencies
    for number, one in enumerate(followers):
        if number >= longest:
            kinds = followers[(longest + 1) // 2 - 1].none
        else:
            kinds = len(followers[number - 1].tokens) if number else vocab_size
        first, tokens, counts = one.first, one.tokens, one.counts
        whole = (
            all(values.ndim == 1 and values.dtype.kind in "iu" for values in vars(one).values())
            and len(first) == kinds + 2
            and (first[0], first[-1], len(counts)) == (0, len(tokens), len(tokens))
            and bool((first[:-1] <= first[1:]).all() and (counts > 0).all())
            and bool(((tokens >= 0) & (tokens < vocab_size)).all())
        )
        if not whole:
            return False
    # Also in numbers of half the width, which the network computes with.
    return bool(((shares > np.finfo(np.float32).tiny) & (shares <= 1)).all())
