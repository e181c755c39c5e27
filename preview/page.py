"""What the browser talks to: SimCord's page, handed on as it is, with the four things that it lacks.

SimCord shows one channel, has no message menus, takes `@Inkling` for plain text, and is silent while
the bot works. This server stands in front of it on a fixed port and adds menus, channels, mentions
and a live line under the messages; `static/inkling.js` is their half in the browser.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any

import aiohttp
import discord
from aiohttp import web
from simcord.actors import MemberActor
from simcord.backend.errors import BackendError, SetupError
from simcord.env import Env
from simcord.preview import Preview

from preview.world import World

_STATIC = Path(__file__).parent / "static"
_TAGS = '<link rel="stylesheet" href="/inkling/inkling.css"><script type="module" src="/inkling/inkling.js"></script>'
_UPLOAD = 26 * 1024**2
"""What SimCord's own page takes."""


class Page:
    """An async context manager; `url` is valid while it is entered, and lets whoever has it drive the bot."""

    def __init__(self, env: Env, world: World, port: int) -> None:
        self._env = env
        self._world = world
        self._port = port
        self._channel = world.channels[0]
        self._changing = asyncio.Lock()
        """Held while one preview is closed and the next one is opened."""
        self._preview: Preview

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/#{self._preview.capability}"

    async def __aenter__(self) -> Page:
        self._preview = await self._show(self._channel.id)
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False)
        self._runner = web.AppRunner(self._routes(), access_log=None)
        await self._runner.setup()
        self._port = await _listen(self._runner, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._client.close()
        await self._preview.close()

    async def closed(self) -> None:
        """Returns once someone ends the session in the page."""
        while True:
            preview = self._preview
            await preview.wait_closed()
            async with self._changing:
                if preview is self._preview:
                    return

    def _routes(self) -> web.Application:
        app = web.Application(client_max_size=_UPLOAD, middlewares=[self._authorize])
        app.router.add_static("/inkling/", _STATIC)
        app.router.add_get("/api/inkling/house", self._house)
        app.router.add_get("/api/inkling/live", self._live)
        app.router.add_post("/api/inkling/channel", self._change_channel)
        app.router.add_post("/api/inkling/menu", self._menu)
        app.router.add_route("*", "/{path:.*}", self._forward)
        return app

    @web.middleware
    async def _authorize(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Our own calls need what SimCord's need: the secret part of the link."""
        ours = request.path.startswith("/api/inkling/")
        if ours and request.headers.get("X-Simcord-Capability") != self._preview.capability:
            raise web.HTTPUnauthorized
        return await handler(request)

    async def _forward(self, request: web.Request) -> web.Response:
        """Pass a request to SimCord and its answer back."""
        body = await request.read()
        if request.path == "/api/action" and request.content_type == "application/json":
            body = self._with_mentions(body)
        kept = {k: v for k, v in request.headers.items() if k.startswith("X-Simcord") or k == "Content-Type"}
        url = self._inner + request.path_qs
        try:
            async with self._client.request(request.method, url, headers=kept, data=body) as answer:
                content = await answer.read()
                headers = {k: v for k, v in answer.headers.items() if k not in ("Content-Length", "Transfer-Encoding")}
        except aiohttp.ClientConnectionError as error:
            raise web.HTTPServiceUnavailable from error  # between two previews; the page asks again
        if request.path == "/":
            content = content.replace(b"</head>", _TAGS.encode() + b"</head>")
        return web.Response(body=content, status=answer.status, headers=headers)

    def _with_mentions(self, body: bytes) -> bytes:
        """Discord's own client turns a typed @Inkling into a mention before sending."""
        action = json.loads(body)
        user = self._env.bot.user
        if action.get("kind") == "send_message" and user:
            action["content"] = action["content"].replace(f"@{user.name}", user.mention)
        return json.dumps(action).encode()

    @property
    def _inner(self) -> str:
        return self._preview.url.partition("/#")[0]

    async def _show(self, channel_id: int) -> Preview:
        """SimCord's preview of one channel, opened."""
        self._channel = next(channel for channel in self._world.channels if channel.id == channel_id)
        preview = self._env.preview(self._channel, viewers=self._world.viewers, layout="channel")
        return await preview.__aenter__()

    async def _house(self, _: web.Request) -> web.Response:
        channels = [
            {"id": str(channel.id), "name": channel.name, "open": channel.id == self._channel.id}
            for channel in self._world.channels
        ]
        return web.json_response({"channels": channels, "menus": _message_menus(self._env.bot)})

    async def _live(self, _: web.Request) -> web.Response:
        """The text of the bot's latest message, while SimCord's page waits for its last edit."""
        messages = [m for m in self._channel.history() if m.author == self._env.bot.user]
        return web.json_response({"text": messages[-1].content if messages else ""})

    async def _change_channel(self, request: web.Request) -> web.Response:
        wanted = int((await request.json())["channel"])
        async with self._changing:
            await self._preview.close()
            self._preview = await self._show(wanted)
        return web.json_response({"capability": self._preview.capability})

    async def _menu(self, request: web.Request) -> web.Response:
        """Run a message menu, then show its outcome (a message or a form) in the page that asked."""
        asked = await request.json()
        viewer = next(member for member in self._world.viewers if str(member.id) == asked["viewer"])
        try:
            await self._run_menu(viewer, asked["name"], int(asked["message"]), asked["context"])
        except (SetupError, BackendError) as error:
            return web.json_response({"error": str(error)}, status=409)
        return web.json_response({})

    async def _run_menu(self, viewer: MemberActor, name: str, message_id: int, context: str) -> None:
        message = next(m for m in self._channel.history(viewer=viewer) if m.id == message_id)
        result = await viewer.context_menu(self._channel, name, message)
        if result.modal is not None:
            # SimCord's page shows forms that its own actions opened; this one it has to be handed.
            page = self._preview._get_page(context)  # pyright: ignore[reportPrivateUsage]
            page.modal, page.modal_handle = result, "m_" + secrets.token_urlsafe(12)
        await self._preview.refresh()


def _message_menus(bot: discord.Client) -> list[str]:
    tree: Any = getattr(bot, "tree", None)
    return [menu.name for menu in tree.get_commands(type=discord.AppCommandType.message)] if tree else []


async def _listen(runner: web.AppRunner, port: int) -> int:
    """Open `port`, or any other if that one is taken; returns which."""
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])
