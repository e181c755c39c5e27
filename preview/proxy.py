"""Plain HTTP: asking a server behind this one, and opening a port."""

from __future__ import annotations

import aiohttp
from aiohttp import web

_ASKED = ("X-Simcord", "Content-Type")
_NOT_ANSWERED = ("Content-Length", "Transfer-Encoding")
_TAGS = b'<link rel="stylesheet" href="/inkling/inkling.css"><script type="module" src="/inkling/inkling.js"></script>'


async def pass_on(client: aiohttp.ClientSession, origin: str, request: web.Request, body: bytes) -> web.Response:
    """Ask `origin` what was asked here, with `body`; hand on its answer, our script added to the page itself."""
    headers = {name: value for name, value in request.headers.items() if name.startswith(_ASKED)}
    try:
        async with client.request(request.method, origin + request.path_qs, headers=headers, data=body) as answer:
            content = await answer.read()
    except aiohttp.ClientConnectionError as error:
        raise web.HTTPServiceUnavailable from error  # between two channels; the page asks again
    if request.path == "/":
        content = content.replace(b"</head>", _TAGS + b"</head>")
    kept = {name: value for name, value in answer.headers.items() if name not in _NOT_ANSWERED}
    return web.Response(body=content, status=answer.status, headers=kept)


async def listen(runner: web.AppRunner, port: int) -> int:
    """Open `port`, or any other if that one is taken; returns which."""
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])
