"""A text cut into words, by jieba.

jieba makes a table of its dictionary, which takes a second, and keeps it. Here it is kept with the
user's own, and not where everybody can write; where it cannot be kept, it is made each time.
"""

import contextlib
import logging
import os
import warnings
from functools import cache, lru_cache
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)  # building a vocabulary and encoding with it cut the same text
def words(text: str) -> list[str]:
    """Return the words of a text, and what stands between them; all together are the text."""
    found: list[str] = _tokenizer().lcut(text)
    return found


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
