"""``counts.safetensors``: what counting knows of the training text, ready to be looked up.

With it a run writes at once, and also where its ``text.txt`` is gone. It gives away nearly as much
as the text does: what followed every three or more tokens, and so, piece by piece, the text itself.
Whoever may not give that away leaves the file out; the run then writes by its network alone.
"""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load, save

from textgen.counts.histories import Followers, Histories
from textgen.counts.learned import Learned
from textgen.errors import TextgenError
from textgen.files import write_atomically


def save_counts(path: Path, learned: Learned) -> None:
    """Write what was counted.

    Raises:
        OSError: the file cannot be written.
    """
    arrays = {"frequencies": learned.frequencies}
    for length, followers in enumerate(learned.histories.followers, start=1):
        arrays |= {f"{length}.{name}": values for name, values in vars(followers).items()}
    write_atomically(path, save(arrays))


def load_counts(path: Path, vocab_size: int) -> Learned:
    """Undo ``save_counts``; where histories stood is not in the file.

    Raises:
        TextgenError: the file is damaged, or of another vocabulary.
    """
    try:
        arrays = load(path.read_bytes())
        longest = (len(arrays) - 1) // 3
        names = ("first", "tokens", "counts")
        followers = [
            Followers(*(arrays[f"{length}.{name}"] for name in names))
            for length in range(1, longest + 1)
        ]
        learned = Learned(Histories(followers, vocab_size), arrays["frequencies"])
    except (OSError, SafetensorError, KeyError, ValueError):
        raise TextgenError(
            f"{path} is damaged: remove it, and what text.txt says is counted anew"
        ) from None
    if len(learned.frequencies) != vocab_size:
        raise TextgenError(f"{path} is of another vocabulary than the vocab.json beside it")
    return learned
