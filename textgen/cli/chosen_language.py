"""``--lang``, which every command takes, wherever it stands: the language of what is printed."""

from collections.abc import Sequence

from textgen.errors import UsageError
from textgen.language import LANGUAGES, Language, Message

FLAG = "--lang"


def chosen_language(arguments: Sequence[str]) -> tuple[Language | None, list[str]]:
    """Return the language that a command line chooses, if it does, and its other words.

    It is looked for before the command is, since errors and the help speak it, too.

    Args:
        arguments: the command line; where it chooses twice, the last one counts.

    Raises:
        UsageError: there is no such language.
    """
    chosen: Language | None = None
    others: list[str] = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":  # only values follow
            return chosen, [*others, word, *words]
        if name == FLAG:
            chosen = _known(value if equals else next(words, ""))
        else:
            others.append(word)
    return chosen, others


def _known(value: str) -> Language:
    choices = Message("one of {choices}", choices=", ".join(LANGUAGES))
    if not value:
        raise UsageError("{flag} needs a value: {choices}", flag=FLAG, choices=choices)
    if value not in LANGUAGES:
        raise UsageError(
            "--{flag} is {value}: it must be {expected}",
            flag=FLAG.removeprefix("--"),
            value=value,
            expected=choices,
        )
    return value
