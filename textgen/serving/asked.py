"""What a client asks for: a request's JSON, checked and with its defaults.

What is refused names the part that it is about. ``null`` is as if a part were left out.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from textgen.config import DEFAULT_MAX_TOKENS, GenerationConfig
from textgen.errors import UsageError
from textgen.serving.refusal import Refused
from textgen.writing.generation import new_seed

MOST_TOKENS = 10_000
"""Characters of a completion."""

MOST_TEXTS = 64
"""Completions of a request, of all its prompts together."""

MOST_CHARACTERS = 100_000
"""Characters of all prompts, or of a text to judge."""

MOST_STOPS = 4
"""Stop texts, as the interface has it."""

_LONGEST_STOP = 1000

_SETTINGS: dict[str, type] = {
    "temperature": float,
    "top_p": float,
    "top_k": int,
    "min_p": float,
    "repetition_penalty": float,
    "seed": int,
}
"""What becomes a setting of the same name."""

_OTHERS = (
    *("model", "prompt", "max_tokens", "n", "stop", "stream", "stream_options", "echo", "user"),
    *("best_of", "frequency_penalty", "logit_bias", "logprobs", "presence_penalty", "suffix"),
    "written",
)

_PENALTY = "there is repetition_penalty instead"

_NOTHING_ELSE: dict[str, tuple[tuple[object, ...], str]] = {
    "frequency_penalty": ((0,), _PENALTY),
    "presence_penalty": ((0,), _PENALTY),
    "logit_bias": (({},), "leave it out"),
    "logprobs": ((), "leave it out; POST /surprisal tells what each character of a text costs"),
    "suffix": (("",), "leave it out: a text is only written on from its beginning"),
}
"""Parts of the interface that are not served: values that change nothing, and what to do."""


@dataclass(frozen=True)
class Completion:
    """What is to be written."""

    model: str | None
    """The name of a run; None for the usual one."""

    prompts: tuple[str, ...]

    n: int
    """Texts for each prompt."""

    config: GenerationConfig
    """How to draw and where to end, with a seed."""

    written: str = ""
    """What the model wrote on from the one prompt before: it goes on there, and as when it writes
    at one go, this does not count as read."""

    stops: tuple[str, ...] = ()
    stream: bool = False
    echo: bool = False
    """What stood before is told before each text."""

    include_usage: bool = False
    """A stream ends with how much it was."""

    @classmethod
    def of(cls, body: object) -> Self:
        """Return what a request's JSON asks for.

        Raises:
            Refused: it cannot be.
        """
        given = _parts(body, (*_OTHERS, *_SETTINGS))
        prompts = _texts(given, "prompt")
        if not prompts:
            raise Refused(400, "prompt is missing: give a text to go on from", "prompt")
        if not all(prompts):
            raise Refused(
                400, "prompt is empty: it must have at least one character to go on from", "prompt"
            )
        written = _text(given, "written")
        if written and len(prompts) > 1:
            raise Refused(
                400, f"written goes on from one prompt, and there are {len(prompts)}", "written"
            )
        _require_length(sum(map(len, prompts)) + len(written), "prompt")
        n = _whole(given, "n", 1, MOST_TEXTS)
        if n * len(prompts) > MOST_TEXTS:
            raise Refused(
                400, f"n is {n} for {len(prompts)} prompts: at most {MOST_TEXTS} texts in all", "n"
            )
        for name, (neutral, instead) in _NOTHING_ELSE.items():
            _require_neutral(given, name, neutral, instead)
        _require_neutral(given, "best_of", (n,), "leave it out, or give what n is")
        options = _parts(given.get("stream_options", {}), ("include_usage",), "stream_options.")
        return cls(
            _name(given),
            prompts,
            n,
            _config(given),
            written,
            _stops(given),
            _flag(given, "stream"),
            _flag(given, "echo"),
            _flag(options, "include_usage", "stream_options."),
        )

    def before(self, index: int) -> str:
        """Return what stands before a text, by its number among all."""
        return self.prompts[index // self.n] + self.written


@dataclass(frozen=True)
class Judgement:
    """A text whose characters are to be judged."""

    model: str | None
    """The name of a run; None for the usual one."""

    text: str

    prompt: str = ""
    """What it was written on from; it is judged, too."""

    @classmethod
    def of(cls, body: object) -> Self:
        """Return what a request's JSON asks for.

        Raises:
            Refused: it cannot be.
        """
        given = _parts(body, ("model", "text", "prompt"))
        text, prompt = _text(given, "text"), _text(given, "prompt")
        if not text and not prompt:
            raise Refused(400, "text is missing: give a text to judge", "text")
        _require_length(len(text) + len(prompt), "text")
        return cls(_name(given), text, prompt)


def _parts(body: object, known: tuple[str, ...], where: str = "") -> Mapping[str, Any]:
    """Return the parts that are given and not null."""
    if not isinstance(body, dict):
        name = where.rstrip(".") or None
        raise Refused(400, f"{name or 'the body'} must be a JSON object: {{...}}", name)
    for name in body:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "leave it out"
            raise Refused(
                400, f"{where}{name[:40]} is not known: {hint}", where + name, "unknown_parameter"
            )
    return {name: value for name, value in body.items() if value is not None}


def _wrong(name: str, value: object, expected: str) -> Refused:
    found = value if isinstance(value, (bool, int, float)) else type(value).__name__
    return Refused(400, f"{name} is {str(found)[:40]}: it must be {expected}", name)


def _name(given: Mapping[str, Any]) -> str | None:
    return _text(given, "model") or None


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise _wrong(name, value, "a text")
    return value


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _wrong(name, value, "a text or a list of texts")
    return tuple(texts)


def _flag(given: Mapping[str, Any], name: str, where: str = "") -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise _wrong(where + name, value, "true or false")
    return value


def _whole(given: Mapping[str, Any], name: str, usual: int, most: int) -> int:
    value = given.get(name, usual)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise _wrong(name, value, f"a whole number between 1 and {most:,}")
    return value


def _stops(given: Mapping[str, Any]) -> tuple[str, ...]:
    stops = _texts(given, "stop")
    if len(stops) > MOST_STOPS:
        raise Refused(
            400, f"stop has {len(stops)} texts: it must have at most {MOST_STOPS}", "stop"
        )
    if not all(1 <= len(stop) <= _LONGEST_STOP for stop in stops):
        raise Refused(400, f"a stop text must have 1 to {_LONGEST_STOP:,} characters", "stop")
    return stops


def _config(given: Mapping[str, Any]) -> GenerationConfig:
    values: dict[str, Any] = {}
    for name, kind in _SETTINGS.items():
        value = given.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, kind)):
            raise _wrong(name, value, "a whole number" if kind is int else "a number")
        try:
            values[name] = kind(value)
        except OverflowError:
            raise _wrong(name, value, "a smaller number") from None
    values.setdefault("seed", new_seed())
    length = _whole(given, "max_tokens", DEFAULT_MAX_TOKENS, MOST_TOKENS)
    try:
        return GenerationConfig(length=length, **values)
    except UsageError as error:
        flag, said = error.english().removeprefix("--").split(" ", 1)
        name = flag.replace("-", "_")
        raise Refused(400, f"{name} {said}", name) from None


def _require_length(characters: int, name: str) -> None:
    if characters > MOST_CHARACTERS:
        raise Refused(
            400,
            f"{name} has {characters:,} characters: it must have at most {MOST_CHARACTERS:,}",
            name,
        )


def _require_neutral(
    given: Mapping[str, Any], name: str, neutral: tuple[object, ...], instead: str
) -> None:
    if name in given and given[name] not in neutral:
        raise Refused(400, f"{name} is not served here: {instead}", name, "unsupported_parameter")
