"""What the files of a run may hold: JSON whose values have the types that are expected.

Whoever made them, a value that is missing or of another type is found here, in one line, before
anything is done with it.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from textgen.config import CorpusConfig, ModelConfig, ReadingConfig, TrainingConfig
from textgen.errors import TranslatedError

_MOST = 2**62
"""Of any whole number in a file, all of which count something."""


class FormatError(TranslatedError):
    """What is wrong, in words that go on after a file's name."""


def parse(text: str) -> dict[str, Any]:
    """Return the object that JSON text holds.

    Raises:
        FormatError: it is not JSON, is nested too deeply, or holds something else.
    """
    try:
        values = json.loads(text)
    except RecursionError:
        raise FormatError("is nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits is one as well
        raise FormatError("is not JSON: {error}", error=error) from None
    if not isinstance(values, dict):
        raise FormatError("is not a JSON object")
    return values


def require(values: Mapping[str, Any], expected: Mapping[str, Any], *, missing: bool) -> None:
    """Check values by their names.

    Args:
        values: names and values, as JSON has them.
        expected: names and types; other names are nobody's business here.
        missing: whether a name may be missing.

    Raises:
        FormatError: a value is missing or of another type.
    """
    for name, kind in expected.items():
        if name not in values:
            if not missing:
                raise FormatError("has no {name}", name=name)
        elif not _is(values[name], kind):
            shown = json.dumps(values[name], ensure_ascii=True)[:40]
            raise FormatError("has {shown} as {name}", shown=shown, name=name)


def require_settings(values: Mapping[str, Any]) -> None:
    """Check the types of settings; that there are no others, and their ranges, others check.

    Raises:
        FormatError: one is of another type.
    """
    expected = {
        field.name: get_type_hints(part)[field.name]
        for part in (CorpusConfig, ModelConfig, TrainingConfig, ReadingConfig)
        for field in fields(part)
    }
    require(values, expected, missing=True)


def _is(value: object, kind: Any) -> bool:  # noqa: ANN401 - a type, or what typing makes of types
    """Return whether a value that was read from JSON is of a type; a float may be a whole one."""
    origin, kinds = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        found = any(_is(value, one) for one in kinds)
    elif origin is Literal:
        found = value in kinds
    elif origin is dict:
        found = isinstance(value, dict) and all(_is(one, kinds[1]) for one in value.values())
    elif kind is Any:
        found = True
    elif origin in (tuple, list):
        found = isinstance(value, list) and all(_is(one, kinds[0]) for one in value)
    elif kind is float and isinstance(value, float):
        found = True  # whether it may be infinite, or no number, others know
    elif kind in (float, int):
        found = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
    else:
        found = isinstance(value, kind)
    return found
