"""HTTP helpers: forwarding of requests, and opening of a port."""

from __future__ import annotations

import aiohttp
from aiohttp import web

_FORWARDED_HEADERS = ("X-Simcord", "Content-Type")
_DROPPED_HEADERS = ("Content-Length", "Transfer-Encoding")
_TAGS = (
    b'<link rel="icon" href="/inkling/icon.png"><link rel="stylesheet" href="/inkling/inkling.css">'
    b'<script type="module" src="/inkling/inkling.js"></script>'
)
_CHANGES = (
    (b"<title>SimCord Preview</title>", b"<title>Inkling</title>"),
    (b"</head>", _TAGS + b"</head>"),
    (b'aria-label="SimCord preview"', b'aria-label="Inkling"'),
    (b"<strong>SimCord</strong>", b"<strong>Inkling</strong>"),
    (b">Messages</button>", b">Channels</button>"),
    (b"<h1>Messages</h1>", b"<h1>Channels</h1>"),
    ("New messages · jump to latest".encode(), "New messages · Jump to present".encode()),
)
"""What is different in the page itself."""


async def proxy_request(client: aiohttp.ClientSession, origin: str, request: web.Request, body: bytes) -> web.Response:
    """Forward a request with `body` to `origin`, and return the response. Make the page itself ours."""
    headers = {name: value for name, value in request.headers.items() if name.startswith(_FORWARDED_HEADERS)}
    try:
        async with client.request(request.method, origin + request.path_qs, headers=headers, data=body) as response:
            content = await response.read()
    except aiohttp.ClientConnectionError as error:
        raise web.HTTPServiceUnavailable from error  # during a change of channel; the page tries again
    if request.path == "/":
        for before, after in _CHANGES:
            content = content.replace(before, after)
    kept = {name: value for name, value in response.headers.items() if name not in _DROPPED_HEADERS}
    return web.Response(body=content, status=response.status, headers=kept)


async def listen(runner: web.AppRunner, port: int) -> int:
    """Open `port`, or any free port if it is in use. Return the port."""
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])
