"""A server that speaks OpenAI's API from a script, on the loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Reply = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


@dataclass
class FakeServer:
    """Answers every request by `reply`, and records what it was sent and which connections were closed on it."""

    reply: Reply
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """The requests for texts, as they came."""
    paths: list[str] = field(default_factory=list[str])
    keys: list[str] = field(default_factory=list[str])
    """The `Authorization` of each request."""
    asked: int = 0
    """How often it was asked for its models."""
    models: Any = None
    """What /v1/models answers; a list of one model if it is not set."""
    open: int = 0
    """The requests at work."""
    most_open: int = 0
    left: int = 0
    """The requests whose caller has closed the connection."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization", ""))
        if request.method == "GET":
            self.asked += 1
            if isinstance(self.models, web.Response):
                return web.Response(body=self.models.body, status=self.models.status, headers=self.models.headers)
            listed = self.models if self.models is not None else [{"id": "m", "owned_by": "vllm"}]
            return web.json_response({"data": listed})
        body = await request.json()
        self.bodies.append(body)
        self.paths.append(request.path)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            return await self.reply(request, body)
        except (ConnectionResetError, asyncio.CancelledError):
            self.left += 1
            raise
        finally:
            self.open -= 1


@asynccontextmanager
async def serving(reply: Reply) -> AsyncGenerator[FakeServer]:
    """Start a server on a free port."""
    fake = FakeServer(reply)
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield fake
    finally:
        await runner.cleanup()


def event(**fields: Any) -> bytes:
    """Return one event of a stream."""
    return f"data: {json.dumps(fields)}\n\n".encode()


def chunk(finish_reason: str | None = None, **delta: Any) -> bytes:
    """Return an event with what a chat model has written."""
    return event(choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}])


def piece(text: str, finish_reason: str | None = None) -> bytes:
    """Return an event with what continues a text."""
    return event(choices=[{"index": 0, "text": text, "finish_reason": finish_reason}])


USAGE = event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 42})
DONE = b"data: [DONE]\n\n"


def streaming(*events: bytes) -> Reply:
    """Return a reply that sends these events, and then ends the stream as servers do."""

    async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await send(request, *events, DONE)

    return reply


async def send(request: web.Request, *events: bytes) -> web.StreamResponse:
    """Stream these events."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for each in events:
        await response.write(each)
    await response.write_eof()
    return response


def saying(*words: str, finish_reason: str = "stop") -> Reply:
    """Return a reply that streams these words."""
    return streaming(*(chunk(content=word) for word in words), chunk(finish_reason), USAGE)


def answering(*responses: Reply) -> Reply:
    """Return a reply that uses each of these in turn, and the last one from then on."""
    remaining = list(responses)

    async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        each = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        return await each(request, body)

    return reply


def refusing(
    status: int, text: str = "", headers: dict[str, str] | None = None, kind: str = "application/json"
) -> Reply:
    """Return a reply that is an error."""

    async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=headers, content_type=kind)

    return reply


class Waiting:
    """A reply that says `first`, and the rest once it may go on."""

    def __init__(self, first: str = "Well") -> None:
        self.first = first
        self.may_go_on = asyncio.Event()

    async def __call__(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(chunk(content=self.first))
        await self.may_go_on.wait()
        await response.write(chunk("stop", content=" met.") + DONE)
        return response
