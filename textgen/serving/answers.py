"""The shapes of what is answered, as clients of the interface know them.

Beside what the interface has, an answer tells the ``seed`` that writes the same texts again, and
which characters of the prompts the model does not know (``unknown``).
"""

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from textgen.serving.asked import Completion
from textgen.serving.models import Model
from textgen.serving.work import Finish

_UNKNOWN_SHOWN = 20
"""Characters that are named."""


class Answer:
    """The answer to a completion, or the parts of it that are streamed.

    Args:
        asked: what is answered.
        model: the model's name.
        unknown: characters of the prompts that the model does not know.
    """

    def __init__(self, asked: Completion, model: str, unknown: Sequence[str]) -> None:
        self._asked = asked
        self._frame = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
            "seed": asked.config.seed,
            "unknown": list(unknown[:_UNKNOWN_SHOWN]),
        }

    def whole(self, texts: list[str], finishes: list[Finish]) -> dict[str, Any]:
        """Return the whole answer: of every text what was written, and why it ended."""
        asked = self._asked
        choices = [
            _choice(index, asked.before(index) * asked.echo + text, finish)
            for index, (text, finish) in enumerate(zip(texts, finishes, strict=True))
        ]
        written = sum(map(len, texts))
        return {**self._frame, "choices": choices, "usage": self._usage(written)}

    def piece(self, index: int, text: str, finish: Finish = None) -> dict[str, Any]:
        """Return a piece of one text."""
        usage = {"usage": None} if self._asked.include_usage else {}
        return {**self._frame, "choices": [_choice(index, text, finish)], **usage}

    def usage(self, written: int) -> dict[str, Any]:
        """Return the last piece of a stream, of no text: how much it was."""
        return {**self._frame, "choices": [], "usage": self._usage(written)}

    def _usage(self, written: int) -> dict[str, int]:
        read = sum(map(len, self._asked.prompts)) + len(self._asked.written)
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        }


def _choice(index: int, text: str, finish: Finish) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}


def model_values(model: Model) -> dict[str, Any]:
    """Return what is told of a model."""
    created = model.written // 10**9
    return {"id": model.name, "object": "model", "created": created, "owned_by": "textgen"}


def event(values: dict[str, Any] | str) -> bytes:
    """Return one server-sent event."""
    data = values if isinstance(values, str) else json.dumps(values, ensure_ascii=False)
    return f"data: {data}\n\n".encode()
