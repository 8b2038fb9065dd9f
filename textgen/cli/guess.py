"""What is wrong with a command line, and what somebody meant who misspelt a word of it."""

import difflib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, get_args, get_origin

from cyclopts import App, CycloptsError
from cyclopts.exceptions import (
    CoercionError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from textgen.cli.chosen_language import FLAG
from textgen.language import Message, _


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
    told: Message | None = None
    match error:
        case UnknownOptionError():
            word = (error.token.keyword or error.token.value).partition("=")[0]
            known = [name for one in error.argument_collection if one.parse for name in one.names]
            told = _unknown(word, command, [name for name in known if name.startswith("-")])
        case UnknownCommandError() | UnusedCliTokensError() if error.unused_tokens:
            told = _too_many(error.unused_tokens[0], command, _commands(error.app))
        case MissingArgumentError():
            told = _missing(error, command, arguments)
        case RepeatArgumentError():
            told = Message("{name} is given more than once: give it once", name=error.token.keyword)
        case CoercionError():
            told = _not_of_its_type(error)
    return str(told or error)


def _unknown(word: str, command: str, known: Iterable[str]) -> Message:
    """Return what is wrong with an option or a command that there is not."""
    values = {"word": word, "command": command}
    is_option = word.startswith("-")
    if guesses := meant(word, [*known, FLAG] if is_option else known):
        values["guesses"] = _(" or ").join(guesses)
        if is_option:
            return Message("{word} is no option of {command}: did you mean {guesses}?", **values)
        return Message("{word} is no command of {command}: did you mean {guesses}?", **values)
    if is_option:
        return Message("{word} is no option of {command}: {command} --help lists them", **values)
    return Message("{word} is no command of {command}: {command} --help lists them", **values)


def _too_many(word: str, command: str, commands: Sequence[str]) -> Message:
    if commands:
        return _unknown(word, command, commands)
    return Message(
        "{word} is one word too many for {command}: {command} --help tells what it takes",
        word=word,
        command=command,
    )


def _missing(error: MissingArgumentError, command: str, arguments: Sequence[str]) -> Message | None:
    """Return what is missing: a word that has to be there, or an option's value."""
    if error.argument is None:
        return None
    if error.keyword is None:
        return Message(
            "{command} needs {name}: {command} --help tells what it takes",
            command=command,
            name=error.argument.name.lstrip("-").upper(),
        )
    name = error.keyword
    follows = dict(pairwise(arguments)).get(name, "")
    if follows.startswith("-") and not follows.startswith("--") and len(follows) > 1:
        return Message(
            "{name} needs a value; one that begins with a hyphen is written {name}={value}",
            name=name,
            value=follows,
        )
    return Message("{name} needs a value", name=name)


_TYPES = {
    int: Message("a whole number"),
    float: Message("a number"),
    bool: Message("true or false"),
}


def _not_of_its_type(error: CoercionError) -> Message | None:
    """Return which value, from the command line or a file, is none that can stand there."""
    token, wanted = error.token, error.target_type
    if token is None or wanted is None:
        return None
    if get_origin(wanted) is Literal:
        expected = Message("one of {choices}", choices=", ".join(map(str, get_args(wanted))))
    elif wanted in _TYPES:
        expected = _TYPES[wanted]
    else:
        return None
    name: object = (token.keyword or "").strip("[]")  # of a file they stand around it
    if not name and error.argument is not None:
        name = error.argument.name.lstrip("-").upper()
    if token.source not in ("", "cli"):
        name = Message("{setting} in {source}", setting=name, source=token.source)
    return Message(
        "{name} is {value}: it must be {expected}", name=name, value=token.value, expected=expected
    )


def _commands(app: App | None) -> list[str]:
    """Return the names of an app's commands, its help among them."""
    return [] if app is None else [name for name in app if app[name].show]
