"""The one error that the command line, and a notebook, print without a traceback."""


class TextgenError(Exception):
    """Something the user can mend: says what, what was found, and what to do, in one line."""

    exit_status = 1

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook, or IPython, shows in the place of a traceback: that line."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(TextgenError):
    """A setting that cannot be: a number out of range, two flags that exclude each other."""

    exit_status = 2


class Interrupted(TextgenError):
    """Training was stopped with Ctrl-C or SIGTERM; everything is saved."""

    exit_status = 130
