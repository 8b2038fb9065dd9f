"""jieba, and where it keeps its table.

jieba makes a table of its dictionary, which takes a second, and keeps it. Here it is kept with the
user's own, and not where everybody can write; where it cannot be kept, it is made each time.
"""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any


def cut(text: str) -> Iterator[str]:
    """Yield the words of a text, and what stands between them; all together are the text.

    Every line end is a word of its own, so lines that are cut one by one come to the same.
    """
    words: Iterator[str] = _tokenizer().cut(text)
    return words


@cache
def _tokenizer() -> Any:  # noqa: ANN401 - jieba has no types
    with warnings.catch_warnings():
        # jieba imports pkg_resources, which warns that it is deprecated.
        warnings.simplefilter("ignore")
        import jieba

    jieba.setLogLevel(logging.CRITICAL)  # a table that cannot be kept would be an error to it
    folder = _cache_folder()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    tokenizer = jieba.Tokenizer()
    # It is written under another name and renamed, so that two at a time do each other no harm.
    tokenizer.tmp_dir = str(folder)
    tokenizer.cache_file = f"jieba-{jieba.__version__}.cache"
    return tokenizer


def _cache_folder() -> Path:
    """Return the user's folder for what can be made again; one that is none without a home."""
    try:
        folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        folder = os.devnull
    return Path(folder) / "textgen"
