"""What a message to the server may say, over HTTP and over the websocket.

Visdom believes all that it is told: names become paths, and anything becomes a pane. Here is what
textgen's own client and the page send; everything else is refused.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from textgen.dashboard.names import is_plain

Message = dict[str, Any]

_PANES = ("image", "image_history", "plot_history", "properties", "network", "embeddings")
"""Kinds of panes that textgen does not draw: some call programs back, some grow without end."""

_NUMBER = (int, float)


class RefusedError(Exception):
    """A message that is not obeyed; says why, in words for whoever sent it."""


def parse(body: bytes | str) -> Message:
    """Return a message.

    Raises:
        RefusedError: it is no JSON object, or has numbers that browsers cannot read.
    """
    try:
        message = json.loads(body.decode() if isinstance(body, bytes) else body)
        json.dumps(message, allow_nan=False)
    except RecursionError:
        raise RefusedError("it is nested too deeply") from None
    except ValueError:
        raise RefusedError("it is no JSON, or holds numbers that are none") from None
    if not isinstance(message, dict):
        raise RefusedError("it is no JSON object")
    return message


def require_name(name: object) -> str:
    """Return a name of an environment or of a window.

    Raises:
        RefusedError: it is not plain.
    """
    if not is_plain(name):
        raise RefusedError("an environment's and a window's name must be a plain one, no path")
    return str(name)


def window(message: Message) -> None:
    """Check what draws a window: a text, or a plot of plotly's.

    Raises:
        RefusedError: it is neither.
    """
    environment(message)
    _optional(message, "win", require_name)
    traces = message.get("data")
    if not isinstance(traces, list) or not traces:
        raise RefusedError("a window has data, a list")
    for trace in traces:
        _require(isinstance(trace, dict) and isinstance(trace.get("type"), str), "data has a type")
    kinds = {trace["type"] for trace in traces}
    _require(not kinds & set(_PANES), f"there are texts and plots, and no {', '.join(_PANES)}")
    if "text" in kinds:
        _require(isinstance(traces[0].get("content"), str), "a text's content is a string")
    else:
        _require(isinstance(message.get("layout"), dict), "a plot has a layout")
    _require("func" not in message, "there are no functions to call")
    _of_type(message, {"version": int})
    options = message.get("opts", {})
    _require(isinstance(options, dict), "opts is of another type")  # and not null either
    _of_type(options, dict.fromkeys(("title", "caption", "comment"), str))
    _of_type(options, dict.fromkeys(("width", "height"), _NUMBER))


def environment(message: Message) -> None:
    """Check what names an environment, or leaves it at Visdom's own.

    Raises:
        RefusedError: it is no plain name.
    """
    _optional(message, "eid", require_name)


def question(message: Message) -> None:
    """Check what asks for a window, and changes nothing.

    Raises:
        RefusedError: it names none, or brings data of its own.
    """
    environment(message)
    _optional(message, "win", require_name)
    _require("win" in message, "it names no window")
    _require("data" not in message, "windows are drawn with /events")


def closing(message: Message) -> None:
    """Check what closes a window, or all of an environment.

    Raises:
        RefusedError: it names none that could be.
    """
    environment(message)
    _optional(message, "win", require_name)


def deletion(message: Message) -> None:
    """Check what deletes an environment.

    Raises:
        RefusedError: it names none that could be.
    """
    require_name(message.get("eid"))


def fork(message: Message) -> None:
    """Check what copies an environment.

    Raises:
        RefusedError: it does not name both.
    """
    require_name(message.get("eid"))
    require_name(message.get("prev_eid"))


def saving(message: Message) -> None:
    """Check what saves environments.

    Raises:
        RefusedError: it is no list of their names.
    """
    names = message.get("data")
    if not isinstance(names, list):
        raise RefusedError("what is saved is a list of environments")
    for name in names:
        require_name(name)


def viewer(message: Message) -> None:
    """Check what a page sends to see environments.

    Raises:
        RefusedError: it names none that could be.
    """
    environment(message)
    _of_type(message, {"sid": str, "show_all": bool})


def _close(message: Message) -> None:
    require_name(message.get("eid"))
    require_name(message.get("data"))


def _save(message: Message) -> None:
    fork(message)
    _require(isinstance(message.get("data"), dict), "what is saved of a view is an object")


def _layouts(message: Message) -> None:
    _require(isinstance(message.get("data"), str), "views are a string")


def _item(message: Message) -> None:
    require_name(message.get("eid"))
    require_name(message.get("win"))


def _comment(message: Message) -> None:
    _item(message)
    _require(isinstance(message.get("data"), str), "a comment is a string")


def _plot_layout(message: Message) -> None:
    _item(message)
    _require(isinstance(message.get("data"), dict), "a layout is an object")


COMMANDS: Mapping[str, Callable[[Message], None]] = {
    "close": _close,
    "undo": deletion,
    "save": _save,
    "save_all": lambda _: None,
    "delete_env": deletion,
    "save_layouts": _layouts,
    "layout_item_update": _item,
    "update_comment": _comment,
    "update_plot_layout": _plot_layout,
}
"""What the page may send over its websocket, and how it is checked."""

IGNORED = ("forward_to_vis", "pop_embeddings_pane")
"""What the page sends of itself when something is clicked: no program is there to be called."""


def _require(condition: object, otherwise: str) -> None:
    if not condition:
        raise RefusedError(otherwise)


def _optional(message: Message, name: str, check: Callable[[object], object]) -> None:
    if message.get(name) is not None:
        check(message[name])


def _of_type(values: Message, types: Mapping[str, type | tuple[type, ...]]) -> None:
    for name, kind in types.items():
        value = values.get(name)
        _require(value is None or isinstance(value, kind), f"{name} is of another type")
