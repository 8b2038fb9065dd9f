"""What somebody meant who misspelt a command or an option."""

import difflib
from collections.abc import Iterable, Sequence
from itertools import pairwise

from cyclopts import App, CycloptsError
from cyclopts.exceptions import (
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)


def meant(word: str, known: Iterable[str]) -> list[str]:
    """Return the known words that a word begins, three at most, else the one it is most like."""
    names = {name.lstrip("-"): name for name in known}
    bare = word.lstrip("-")
    if not bare:
        return []
    begun = [name for name in names if name.startswith(bare)]
    near = begun[:3] or difflib.get_close_matches(bare, names, n=1)
    return [names[name] for name in near]


def in_words(error: CycloptsError, arguments: Sequence[str]) -> str:
    """Return what is wrong with a command line, and where a word is unknown, a guess.

    Args:
        error: what cyclopts says.
        arguments: the command line.
    """
    command = " ".join(("textgen", *(error.command_chain or ())))
    if isinstance(error, UnknownOptionError):
        word = (error.token.keyword or error.token.value).partition("=")[0]
        known = [name for one in error.argument_collection if one.parse for name in one.names]
        return _unknown(word, "option", command, [name for name in known if name.startswith("-")])
    if isinstance(error, UnknownCommandError | UnusedCliTokensError) and error.unused_tokens:
        word = error.unused_tokens[0]
        commands = _commands(error.app)
        if commands:
            return _unknown(word, "command", command, commands)
        return f"{word} is one word too many for {command}: {command} --help tells what it takes"
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.keyword or error.argument.name
        follows = dict(pairwise(arguments)).get(name, "")
        if follows.startswith("-") and not follows.startswith("--") and len(follows) > 1:
            return (
                f"{name} needs a value; one that begins with a hyphen is written {name}={follows}"
            )
    return str(error)


def _unknown(word: str, kind: str, command: str, known: Iterable[str]) -> str:
    kind = "option" if word.startswith("-") else kind
    if guesses := meant(word, known):
        return f"{word} is no {kind} of {command}: did you mean {' or '.join(guesses)}?"
    return f"{word} is no {kind} of {command}: {command} --help lists them"


def _commands(app: App | None) -> list[str]:
    """Return the names of an app's commands, its help among them."""
    return [] if app is None else [name for name in app if app[name].show]
