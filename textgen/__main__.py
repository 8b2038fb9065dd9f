"""``textgen``, and ``python -m textgen``.

Ctrl-C while Python still imports the program ends it in one line, too: so this file imports only
what Python has imported already, and all else once that is seen to.
"""

import os
import sys
from types import TracebackType


def main() -> None:
    """Run the command line."""
    sys.excepthook = _excepthook
    import signal

    # In the background, Ctrl-C may be ignored, and stays so.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:  # what is imported may take an exception for its own
        signal.signal(signal.SIGINT, _quit)
    from textgen.cli.commands import run

    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status = run(sys.argv[1:])
    if interruptible:  # all is told, and only Python's own tidying up is left
        signal.signal(signal.SIGINT, lambda *_: os._exit(status))
    sys.exit(status)


def _quit(*_signal: object) -> None:
    """Leave at once: there is nothing yet that could be lost."""
    try:
        os.write(2, b"textgen: stopped\n")
    finally:
        os._exit(130)


def _excepthook(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        _quit()
    sys.__excepthook__(kind, error, traceback)


if __name__ == "__main__":
    main()
