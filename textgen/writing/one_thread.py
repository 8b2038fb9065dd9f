"""numpy's products on one thread: always added up in the same order, and texts have a core each.

Only while something is written: the library that multiplies may be the one that torch trains with.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside = 0
_restore = None


@contextmanager
def one_thread() -> Iterator[None]:
    """Multiply on one thread while anybody, in any thread, is inside."""
    global _inside, _restore  # noqa: PLW0603 - the libraries' setting is the whole process's, too
    with _lock:
        if _inside == 0:
            _restore = _libraries().limit(limits=1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _restore is not None:
                _restore.restore_original_limits()


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")
