"""A request's body, read as JSON and never further than it may be long."""

import json
from typing import Any

from starlette.requests import Request

from textgen.serving.refusal import Refused

LARGEST = 2**20
"""Bytes of a body."""


async def read_json(request: Request) -> Any:  # noqa: ANN401 - whatever it is
    """Return what a body holds.

    Raises:
        Refused: it is too large, or is not JSON.
        ClientDisconnect: who sent it has left.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        found = kind[:80] or "missing"
        raise Refused(415, f"Content-Type is {found}: it must be application/json")
    body = bytearray()
    _require_size(int(request.headers.get("content-length", "0")))
    async for piece in request.stream():
        body += piece
        _require_size(len(body))
    try:
        values = json.loads(body.decode(), parse_constant=_refuse)
        json.dumps(values, ensure_ascii=False).encode()  # where \ud800 stands alone, it fails
    except (ValueError, RecursionError) as error:
        said = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise Refused(400, f"the body is not JSON in UTF-8: {said}") from None
    return values


def _require_size(size: int) -> None:
    if size > LARGEST:
        raise Refused(413, f"the body is too large: it must have at most {LARGEST:,} bytes")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
