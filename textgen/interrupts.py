"""Ctrl-C, SIGTERM and SIGHUP ask work to stop; between two steps it does, and loses nothing."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none

STOP_SIGNALS = tuple(filter(None, (signal.SIGINT, signal.SIGTERM, _HANGUP)))
"""Ctrl-C, what ``kill`` sends, and what a terminal sends that is closed."""


class StopRequest:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, *_signal: object) -> None:
        """Ask; as it stands, a signal's handler."""
        self.asked = True


@contextmanager
def handling(
    handler: Callable[..., object], signals: tuple[signal.Signals, ...] = STOP_SIGNALS
) -> Iterator[None]:
    """Have a handler called for signals while inside, and after that the one before.

    In other threads than the main one nothing is caught, since Python cannot. A SIGHUP that is
    ignored stays ignored: that is what nohup is for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught = [
        name for name in signals if name != _HANGUP or signal.getsignal(name) != signal.SIG_IGN
    ]
    before = {name: signal.signal(name, handler) for name in caught}
    try:
        yield
    finally:
        for name, earlier in before.items():
            signal.signal(name, earlier)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Catch what asks to stop while inside; the second time it stops at once."""
    request = StopRequest()

    def ask(*_signal: object) -> None:
        if request.asked:
            raise KeyboardInterrupt
        request.ask()

    with handling(ask):
        yield request
