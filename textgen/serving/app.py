"""The routes: the page, the completions interface, and what each character of a text costs."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Send

from textgen.errors import TextgenError
from textgen.serving.answers import Answer, event, model_values
from textgen.serving.asked import Completion, Judgement
from textgen.serving.guard import Guard
from textgen.serving.models import Models
from textgen.serving.reading import read_json
from textgen.serving.refusal import Refused
from textgen.serving.surprisal import surprisals
from textgen.serving.turns import Turns
from textgen.serving.work import Finish, Written, write

_PAGE = Path(__file__).parent / "page"
_PAGE_FILES = {"/": "index.html"} | {f"/{n}": n for n in ("page.css", "page.js", "icon.svg")}

T = TypeVar("T")


def make_app(models: Models, turns: Turns, names: tuple[str, ...]) -> ASGIApp:
    """Return the application.

    Args:
        models: what writes.
        turns: who writes when.
        names: what the server may be asked as, see ``Guard``.
    """
    desk = _Desk(models, turns)
    app = Starlette(
        routes=[
            *(Route(path, _send_file, methods=["GET"]) for path in _PAGE_FILES),
            Route("/v1/models", desk.list_models, methods=["GET"]),
            Route("/v1/models/{name}", desk.tell_model, methods=["GET"]),
            Route("/v1/completions", desk.complete, methods=["POST"]),
            Route("/surprisal", desk.judge, methods=["POST"]),
        ],
        exception_handlers={
            HTTPException: _on_error,
            Refused: _on_error,
            TextgenError: _on_error,
            ClientDisconnect: _on_error,
            Exception: _on_error,
        },
    )
    app.router.redirect_slashes = False  # a client that is sent elsewhere would ask without a body
    return Guard(app, names)


class _Desk:
    """Answers requests."""

    def __init__(self, models: Models, turns: Turns) -> None:
        self._models = models
        self._turns = turns

    async def list_models(self, _request: Request) -> Response:
        """Tell the runs that there are."""
        found = [model_values(model) for model in self._models.all()]
        return JSONResponse({"object": "list", "data": found})

    async def tell_model(self, request: Request) -> Response:
        """Tell one run."""
        return JSONResponse(model_values(self._models.find(request.path_params["name"])))

    async def complete(self, request: Request) -> Response:
        """Write on from a beginning, or from several."""
        asked = Completion.of(await read_json(request))
        model = self._models.find(asked.model)
        unknown: list[str] = []

        def work() -> Iterator[Written]:
            decoder = self._models.decoder(model)
            for prompt in asked.prompts:
                unknown.extend(t for t in decoder.vocab.unknown(prompt) if t not in unknown)
            yield from write(decoder, asked)

        steps = self._turns.take(work())
        # What goes wrong does so before the first text begins: then the status can still tell it.
        await _unless_gone(request, anext(steps))
        answer = Answer(asked, model.name, unknown)
        if asked.stream:
            return _EventStream(_events(asked, answer, steps))
        return JSONResponse(await _unless_gone(request, _whole(asked, answer, steps)))

    async def judge(self, request: Request) -> Response:
        """Tell what each character of a text costs."""
        asked = Judgement.of(await read_json(request))
        model = self._models.find(asked.model)

        def work() -> Iterator[list[float | None]]:
            yield from surprisals(self._models.decoder(model), asked.prompt, asked.text)

        bits = await _unless_gone(request, _joined(self._turns.take(work())))
        return JSONResponse({"object": "surprisal", "model": model.name, "bits": bits})


class _EventStream(StreamingResponse):
    """A stream that ends what makes it, also when who reads it leaves."""

    def __init__(self, events: AsyncGenerator[bytes]) -> None:
        super().__init__(events, media_type="text/event-stream")
        self._events = events

    async def stream_response(self, send: Send) -> None:
        """Send piece after piece."""
        async with aclosing(self._events):
            await super().stream_response(send)


async def _events(
    asked: Completion, answer: Answer, steps: AsyncGenerator[Written]
) -> AsyncGenerator[bytes]:
    written = 0
    async with aclosing(steps):
        try:
            for index in range(asked.n * len(asked.prompts) * asked.echo):
                yield event(answer.piece(index, asked.before(index)))
            async for index, piece, finish in steps:
                written += len(piece)
                if piece or finish:
                    yield event(answer.piece(index, piece, finish))
            if asked.include_usage:
                yield event(answer.usage(written))
            yield event("[DONE]")
        except (Refused, TextgenError) as error:  # too late for a status
            yield event(_refusal(error).as_json())


async def _whole(
    asked: Completion, answer: Answer, steps: AsyncIterator[Written]
) -> dict[str, object]:
    count = asked.n * len(asked.prompts)
    texts = [""] * count
    finishes: list[Finish] = [None] * count
    async for index, piece, finish in steps:
        texts[index] += piece
        finishes[index] = finish
    return answer.whole(texts, finishes)


async def _joined(steps: AsyncIterator[list[T]]) -> list[T]:
    return [one async for step in steps for one in step]


async def _unless_gone(request: Request, work: Awaitable[T]) -> T:
    """Return what work comes to; if who asked for it leaves, it ends.

    Raises:
        ClientDisconnect: nobody waits for it any more.
    """
    tasks = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            raise ClientDisconnect
        return tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _send_file(request: Request) -> Response:
    return FileResponse(_PAGE / _PAGE_FILES[request.url.path])


async def _on_error(request: Request, error: Exception) -> Response:
    refused = _refusal(error, request)
    return JSONResponse(refused.as_json(), refused.status, refused.headers)


def _refusal(error: Exception, request: Request | None = None) -> Refused:
    """Return what to answer for an error."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException) and request is not None:
        asked = f"{request.method} {request.url.path[:80]}"
        return Refused(
            error.status_code,
            f"there is no {asked} here: there are GET /, GET /v1/models, POST /v1/completions and "
            "POST /surprisal",
            code="method_not_allowed" if error.status_code == 405 else "not_found",
            headers=dict(error.headers or {}),
        )
    if isinstance(error, ClientDisconnect):
        return Refused(400, "the client has left")  # nobody reads it
    if isinstance(error, TextgenError):
        return Refused(500, error.english())
    return Refused(500, "a mistake of the program's: the server's terminal tells more")
