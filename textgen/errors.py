"""The one error that the command line, and a notebook, print without a traceback."""

from textgen.language import Message


class TranslatedError(Message, Exception):
    """An error whose text is translated when it is shown.

    Args:
        template: the text in English, with a ``{name}`` for each value.
        values: what is put in; without any, the text may have braces of its own.
    """


class TextgenError(TranslatedError):
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


def os_reason(error: OSError) -> Message:
    """Return why the operating system could not do something."""
    return Message(error.strerror or str(error))


_FREQUENT_REASONS = (
    Message("Permission denied"),
    Message("No such file or directory"),
    Message("No space left on device"),
    Message("Read-only file system"),
    Message("Is a directory"),
    Message("Not a directory"),
    Message("File exists"),
    Message("File name too long"),
    Message("Directory not empty"),
    Message("Too many open files"),
    Message("Disk quota exceeded"),
    Message("Input/output error"),
    Message("Broken pipe"),
    Message("Address already in use"),
    Message("Cannot assign requested address"),
)
"""What it says most often, which the catalogues have."""
