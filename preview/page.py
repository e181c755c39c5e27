"""What the browser talks to: SimCord's page, handed on as it is, with the four things that it lacks.

SimCord shows one channel, has no message menus, takes `@Inkling` for plain text, and publishes only
when somebody acts. This server stands in front of it on a fixed port and adds menus, channels and
mentions, and publishes what the bot does meanwhile; `static/inkling.js` is its half in the browser.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import discord
from aiohttp import web
from simcord.actors import MemberActor
from simcord.backend.errors import BackendError, SetupError
from simcord.env import Env
from simcord.preview import Preview

from preview.fixtures import Fixtures
from preview.proxy import listen, pass_on

_STATIC = Path(__file__).parent / "static"
_UPLOAD = 26 * 1024**2
"""What SimCord's own page takes."""

_REVISION = re.compile(rb'("published_revision":)\d+')
"""In an action as the page writes it; in what a person wrote, the quotation marks are escaped."""

_PACE = 0.5
"""Seconds between two looks at what the bot has written."""


class PreviewPage:
    """An async context manager; `url` is valid while it is entered, and lets whoever has it drive the bot."""

    def __init__(self, env: Env, world: Fixtures, port: int, acting: asyncio.Lock) -> None:
        self._env = env
        self._world = world
        self._port = port
        self._channel = world.channels[0]
        self._acting = acting
        """SimCord does one thing at a time: an action, a publication, or the change of a channel."""
        self._published: object = None
        self._preview: Preview

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/#{self._preview.capability}"

    async def __aenter__(self) -> PreviewPage:
        self._preview = await self._show(self._channel.id)
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False)
        self._runner = web.AppRunner(self._routes(), access_log=None)
        await self._runner.setup()
        self._port = await listen(self._runner, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._client.close()
        await self._preview.close()

    async def run(self) -> None:
        """Keep the page up to date, until someone ends the session in it."""
        while True:
            preview = self._preview
            ended = await _ends_within(preview, _PACE)
            async with self._acting:
                if not ended:
                    await self._catch_up()
                elif preview is self._preview:  # and not closed for a change of channel
                    return

    async def _catch_up(self) -> None:
        """Move the bot's clock on, and show what it wrote; where nothing changed, the page is left alone."""
        # A timer of the bot's that has just come due moves the clock too: begun side by side, the two would wait for
        # each other. Nothing is awaited between this and the clock's next move.
        while (moving := self._env._real_advance_task) and not moving.done():  # pyright: ignore[reportPrivateUsage]
            await asyncio.wait([moving])
        await self._env.advance_time(max(0.0, (datetime.now(UTC) - self._env.now()).total_seconds()))
        if self._published != (content := self._content()):
            self._published = content
            await self._preview.refresh()

    def _content(self) -> list[object]:
        """All of the open channel that an edit can change, answers to one person alone among it."""
        seen = {m.id: m for viewer in self._world.viewers for m in self._channel.history(viewer=viewer)}
        return [
            (m.id, m.content, m.embeds, [file.id for file in m.attachments], [row.to_dict() for row in m.components])
            for m in seen.values()
        ]

    def _routes(self) -> web.Application:
        app = web.Application(client_max_size=_UPLOAD, middlewares=[self._authorize])
        app.router.add_static("/inkling/", _STATIC)
        app.router.add_get("/api/inkling/house", self._house)
        app.router.add_post("/api/inkling/channel", self._change_channel)
        app.router.add_post("/api/inkling/menu", self._menu)
        app.router.add_post("/api/action", self._act)
        app.router.add_route("*", "/{path:.*}", self._forward)
        return app

    @web.middleware
    async def _authorize(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Our own calls need what SimCord's need: the secret part of the link."""
        ours = request.path.startswith("/api/inkling/")
        if ours and request.headers.get("X-Simcord-Capability") != self._preview.capability:
            raise web.HTTPUnauthorized
        return await handler(request)

    async def _act(self, request: web.Request) -> web.Response:
        """What somebody does in SimCord's page."""
        async with self._acting:
            body = self._made_current(await request.read(), request.headers)
            if request.content_type == "application/json":
                body = json.dumps(self._with_mentions(json.loads(body))).encode()
            return await self._pass_on(request, body)

    def _made_current(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """A click counts though the bot wrote a word meanwhile; with files or without, the action comes first."""
        page = self._preview._pages.get(headers.get("X-Simcord-Context", ""))  # pyright: ignore[reportPrivateUsage]
        return _REVISION.sub(rb"\g<1>%d" % page.revision, body, count=1) if page else body

    def _with_mentions(self, action: dict[str, Any]) -> dict[str, Any]:
        """As Discord's own client sends them."""
        user = self._env.bot.user
        if action.get("kind") == "send_message" and user:
            action["content"] = action["content"].replace(f"@{user.name}", user.mention)
        return action

    async def _forward(self, request: web.Request) -> web.Response:
        return await self._pass_on(request, await request.read())

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        return await pass_on(self._client, self._preview.url.partition("/#")[0], request, body)

    async def _show(self, channel_id: int) -> Preview:
        """SimCord's preview of one channel, opened."""
        self._channel = next(channel for channel in self._world.channels if channel.id == channel_id)
        preview = self._env.preview(
            self._channel, viewers=self._world.viewers, layout="channel", assets=self._world.pictures
        )
        return await preview.__aenter__()

    async def _house(self, _: web.Request) -> web.Response:
        channels = [
            {"id": str(channel.id), "name": channel.name, "open": channel.id == self._channel.id}
            for channel in self._world.channels
        ]
        return web.json_response({"channels": channels, "menus": _message_menus(self._env.bot)})

    async def _change_channel(self, request: web.Request) -> web.Response:
        wanted = int((await request.json())["channel"])
        async with self._acting:
            await self._preview.close()
            self._preview = await self._show(wanted)
        return web.json_response({"capability": self._preview.capability})

    async def _menu(self, request: web.Request) -> web.Response:
        """Run a message menu, then show its outcome (a message or a form) in the page that asked."""
        asked = await request.json()
        viewer = next(member for member in self._world.viewers if str(member.id) == asked["viewer"])
        try:
            async with self._acting:
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


async def _ends_within(preview: Preview, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await preview.wait_closed()
    except TimeoutError:
        return False
    return True
