"""What of a prefix a model does not know, and what it would have known instead.

The other script comes from OpenCC, which knows that 后 stays 后 in 皇后; it is an extra. What half
and full width and the styles of quotation marks come to is a table of a few lines.
"""

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from textgen.errors import TextgenError
from textgen.language import _
from textgen.text.vocab import Vocab

if TYPE_CHECKING:
    from opencc import OpenCC

_SHOWN = 20
"""Unknown characters that a message names."""

_SCRIPTS = ("t2s", "tw2s", "hk2s", "s2t", "s2tw", "s2hk")
"""OpenCC's names for: from traditional (Taiwan's, Hong Kong's) to simplified, and back."""

_ALIKE = (
    *(",，", ".。．", "!！", "?？", ":：", ";；", "(（", ")）", "~～", "-—－", " \u3000"),
    *('"“「＂', '"”」＂', "'‘『＇", "'’』＇", "<《〈＜", ">》〉＞", "[【〔［", "]】〕］"),
)
"""Punctuation that stands for each other."""

_WIDTH = 0xFEE0
"""From ! to ~, a character's full-width form is this many code points further on."""


def understood(
    vocab: Vocab, prefix: str, name: str, *, map_script: bool = False
) -> tuple[str, list[str]]:
    """Return a prefix as the model will read it, and what there is to tell about that.

    Args:
        vocab: the model's vocabulary.
        prefix: the beginning.
        name: the run's name.
        map_script: put it into the script and the punctuation that the model knows better.

    Raises:
        TextgenError: for ``map_script``, OpenCC is not installed.
    """
    messages = []
    if map_script:
        prefix, changes = map_to_known(vocab, prefix)
        if changes:
            messages.append(_("--map-script: {changes}").format(changes=describe(changes)))
    found = (_pieces_message(vocab, prefix, name), unknown_message(vocab, prefix, name))
    return prefix, [*messages, *filter(None, found)]


def _pieces_message(vocab: Vocab, prefix: str, name: str) -> str | None:
    """Return one line about the words that are not known as such; None when all are."""
    pieces = vocab.in_pieces(prefix)
    if not pieces:
        return None
    changes = [(word, "+".join(found)) for word, found in pieces.items()]
    told = _("No words in the vocabulary of {name}, so read in pieces: {changes}")
    return told.format(name=name, changes=describe(changes))


def unknown_message(vocab: Vocab, prefix: str, name: str) -> str | None:
    """Return one line about what of a prefix is not known; None when all is.

    Args:
        vocab: the model's vocabulary.
        prefix: the beginning.
        name: the run's name.
    """
    unknown = vocab.unknown(prefix)
    if not unknown:
        return None
    nothing = set(vocab.split(prefix)) == set(unknown)
    line = (
        _("Not in the vocabulary of {name}, so read as <unk>: nothing of it is known: {tokens}")
        if nothing
        else _("Not in the vocabulary of {name}, so read as <unk>: {tokens}")
    )
    parts = [line.format(name=name, tokens=_and_more(shown(unknown[:_SHOWN]), len(unknown)))]
    known = [(token, other) for token in unknown for other in known_instead(vocab, token)[:1]]
    if known:
        instead = _("known instead: {changes} (--map-script puts that in)")
        parts.append(instead.format(changes=describe(known)))
    if not _has_opencc() and any(map(_has_han, unknown)):
        parts.append(
            _("whether another script would be known, OpenCC can tell: pip install opencc")
        )
    return _("; ").join(parts)


def _and_more(some: str, count: int) -> str:
    """Return the first of so many, and how many more there are."""
    if count <= _SHOWN:
        return some
    return _("{some} and {count:,} more").format(some=some, count=count - _SHOWN)


def map_to_known(vocab: Vocab, prefix: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a prefix with its unknown characters in the script and the punctuation that are known.

    What the model knows stays as it is.

    Returns:
        The new prefix, and what became of what.

    Raises:
        TextgenError: another script would be needed, and OpenCC is not installed.
    """
    unknown = set(vocab.unknown(prefix))
    if any(map(_has_han, unknown)):
        if not _has_opencc():
            raise TextgenError("--map-script needs OpenCC: pip install opencc")
        versions = (prefix, *(_converted(prefix, script) for script in _SCRIPTS))
        # Of equally good ones the first: a prefix is not changed for nothing.
        best = min(versions, key=lambda version: _strangeness(vocab, version))
    else:
        best = prefix
    if vocab.kind == "character" and len(best) == len(prefix):
        pairs = zip(prefix, best, strict=True)
        best = "".join(new if old in unknown else old for old, new in pairs)
    mapped = _map_punctuation(vocab, best)
    if len(mapped) != len(prefix):
        return mapped, [(prefix, mapped)]
    changed = zip(prefix, mapped, strict=True)
    return mapped, list(dict.fromkeys(pair for pair in changed if pair[0] != pair[1]))


def describe(changes: list[tuple[str, str]]) -> str:
    """Return what became of what, for people."""
    pairs = (f"{shown([old])}→{shown([new])}" for old, new in changes[:_SHOWN])
    return _and_more(" ".join(pairs), len(changes))


def shown(tokens: Iterable[str]) -> str:
    """Return characters next to each other, those without a look by their code points."""
    return " ".join(
        token if token.isprintable() and not token.isspace() else _code_points(token)
        for token in tokens
    )


def _code_points(token: str) -> str:
    return "+".join(f"U+{ord(character):04X}" for character in token)


def _strangeness(vocab: Vocab, text: str) -> tuple[int, float]:
    """Return how many tokens are unknown, then how rare the others are."""
    ids = vocab.encode(text)
    counts = np.array(vocab.counts)[ids[ids > 0]]
    return int((ids == 0).sum()), -float(np.log1p(counts).sum())


def known_instead(vocab: Vocab, token: str) -> list[str]:
    """Return the other forms of an unknown token that are known, each once."""
    others = _alike(token) if len(token) == 1 else []
    if _has_opencc() and _has_han(token):
        others += [_converted(token, script) for script in _SCRIPTS]
    return list(dict.fromkeys(other for other in others if other in vocab))


def _alike(character: str) -> list[str]:
    others = [other for group in _ALIKE if character in group for other in group]
    if "!" <= character <= "~":
        others.append(chr(ord(character) + _WIDTH))
    elif "！" <= character <= "～":
        others.append(chr(ord(character) - _WIDTH))
    return [other for other in others if other != character]


def _map_punctuation(vocab: Vocab, text: str) -> str:
    """Replace what is unknown and has a known form; straight quotes open and close in turn."""
    if vocab.kind != "character":
        return text
    quotes = dict.fromkeys("\"'", 0)
    mapped = []
    for character in text:
        place = quotes.get(character, 0)
        if character in quotes:
            quotes[character] = 1 - place
        known = _alike_and_known(vocab, character)
        mapped.append(known[min(place, len(known) - 1)] if known else character)
    return "".join(mapped)


def _alike_and_known(vocab: Vocab, character: str) -> list[str]:
    if character in vocab:
        return []
    return [other for other in _alike(character) if other in vocab]


def _has_han(text: str) -> bool:
    return any("\u3400" <= c <= "\u9fff" or "\U00020000" <= c <= "\U0003ffff" for c in text)


def _has_opencc() -> bool:
    return find_spec("opencc") is not None


def _converted(text: str, script: str) -> str:
    # OpenCC reads UTF-8, in which half a character does not exist.
    whole = text.encode("utf-8", "replace").decode()
    converted: str = _converter(script).convert(whole)
    return converted


@cache
def _converter(script: str) -> "OpenCC":
    from opencc import OpenCC

    return OpenCC(script)
