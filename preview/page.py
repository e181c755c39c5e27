"""The server between the browser and SimCord's page. It adds four features to the page.

SimCord shows one channel, has no message menus, treats `@Inkling` as plain text, and only publishes after actions. This
server on a fixed port forwards its page and adds menus, channels and mentions, and publishes changes by the bot at any
time. `static/inkling.js` is the browser's part of it.
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
from preview.proxy import listen, proxy_request

_STATIC = Path(__file__).parent / "static"
_MAX_UPLOAD_BYTES = 26 * 1024**2
"""The limit of SimCord's own page."""

_REVISION = re.compile(rb'("published_revision":)\d+')
"""The revision in an action's JSON. In text from users, its quotation marks would be escaped."""

_REFRESH_SECONDS = 0.5
"""Seconds between two checks for changes by the bot."""


class PreviewPage:
    """An async context manager. `url` is valid while it is entered; whoever has it can control the bot."""

    def __init__(self, env: Env, fixtures: Fixtures, port: int, acting: asyncio.Lock) -> None:
        self._env = env
        self._fixtures = fixtures
        self._port = port
        self._channel = fixtures.channels[0]
        self._acting = acting
        """SimCord can do one thing at a time: run an action, publish, or change the channel."""
        self._published: object = None
        self._preview: Preview

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/#{self._preview.capability}"

    async def __aenter__(self) -> PreviewPage:
        self._preview = await self._open_preview(self._channel.id)
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
        """Keep the page up to date until a user ends the session."""
        while True:
            preview = self._preview
            ended = await _closes_within(preview, _REFRESH_SECONDS)
            async with self._acting:
                if not ended:
                    await self._update()
                elif preview is self._preview:  # and not closed by a change of channel
                    return

    async def _update(self) -> None:
        """Advance the bot's clock, and publish its changes, if there are any."""
        # A timer of the bot that is due advances the clock too. If both ran at the same time, they would wait for each
        # other. There is no await between this loop and the next advance of the clock.
        while (advancing := self._env._real_advance_task) and not advancing.done():  # pyright: ignore[reportPrivateUsage]
            await asyncio.wait([advancing])
        await self._env.advance_time(max(0.0, (datetime.now(UTC) - self._env.now()).total_seconds()))
        if self._published != (content := self._content()):
            self._published = content
            await self._preview.refresh()

    def _content(self) -> list[object]:
        """Return everything in the open channel that an edit can change, including private answers."""
        messages = {
            message.id: message for viewer in self._fixtures.viewers for message in self._channel.history(viewer=viewer)
        }
        return [
            (
                message.id,
                message.content,
                message.embeds,
                [file.id for file in message.attachments],
                [row.to_dict() for row in message.components],
            )
            for message in messages.values()
        ]

    def _routes(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_UPLOAD_BYTES, middlewares=[self._authorize])
        app.router.add_static("/inkling/", _STATIC)
        app.router.add_get("/api/inkling/house", self._list_channels)
        app.router.add_post("/api/inkling/channel", self._change_channel)
        app.router.add_post("/api/inkling/menu", self._menu)
        app.router.add_post("/api/action", self._run_action)
        app.router.add_route("*", "/{path:.*}", self._forward)
        return app

    @web.middleware
    async def _authorize(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Require the secret part of the link for this server's own routes, as SimCord does for its routes."""
        is_own = request.path.startswith("/api/inkling/")
        if is_own and request.headers.get("X-Simcord-Capability") != self._preview.capability:
            raise web.HTTPUnauthorized
        return await handler(request)

    async def _run_action(self, request: web.Request) -> web.Response:
        """Run an action of SimCord's page."""
        async with self._acting:
            body = self._with_current_revision(await request.read(), request.headers)
            if request.content_type == "application/json":
                body = json.dumps(self._with_mentions(json.loads(body))).encode()
            return await self._proxy(request, body)

    def _with_current_revision(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Set the current revision, so that a click is valid even if the bot has changed something meanwhile."""
        page = self._preview._pages.get(headers.get("X-Simcord-Context", ""))  # pyright: ignore[reportPrivateUsage]
        return _REVISION.sub(rb"\g<1>%d" % page.revision, body, count=1) if page else body

    def _with_mentions(self, action: dict[str, Any]) -> dict[str, Any]:
        """Replace mentions, as Discord's own client does."""
        user = self._env.bot.user
        if action.get("kind") == "send_message" and user:
            action["content"] = action["content"].replace(f"@{user.name}", user.mention)
        return action

    async def _forward(self, request: web.Request) -> web.Response:
        return await self._proxy(request, await request.read())

    async def _proxy(self, request: web.Request, body: bytes) -> web.Response:
        return await proxy_request(self._client, self._preview.url.partition("/#")[0], request, body)

    async def _open_preview(self, channel_id: int) -> Preview:
        """Open SimCord's preview of one channel."""
        self._channel = next(channel for channel in self._fixtures.channels if channel.id == channel_id)
        preview = self._env.preview(
            self._channel, viewers=self._fixtures.viewers, layout="channel", assets=self._fixtures.pictures
        )
        return await preview.__aenter__()

    async def _list_channels(self, _: web.Request) -> web.Response:
        channels = [
            {"id": str(channel.id), "name": channel.name, "open": channel.id == self._channel.id}
            for channel in self._fixtures.channels
        ]
        return web.json_response({"channels": channels, "menus": _message_menus(self._env.bot)})

    async def _change_channel(self, request: web.Request) -> web.Response:
        channel_id = int((await request.json())["channel"])
        async with self._acting:
            await self._preview.close()
            self._preview = await self._open_preview(channel_id)
        return web.json_response({"capability": self._preview.capability})

    async def _menu(self, request: web.Request) -> web.Response:
        """Run a message menu, then show its result (a message or a form) in the page of the user."""
        body = await request.json()
        viewer = next(member for member in self._fixtures.viewers if str(member.id) == body["viewer"])
        try:
            async with self._acting:
                await self._run_menu(viewer, body["name"], int(body["message"]), body["context"])
        except (SetupError, BackendError) as error:
            return web.json_response({"error": str(error)}, status=409)
        return web.json_response({})

    async def _run_menu(self, viewer: MemberActor, name: str, message_id: int, context: str) -> None:
        message = next(m for m in self._channel.history(viewer=viewer) if m.id == message_id)
        result = await viewer.context_menu(self._channel, name, message)
        if result.modal is not None:
            # SimCord's page only shows forms opened by its own actions. This form must be passed to it.
            page = self._preview._get_page(context)  # pyright: ignore[reportPrivateUsage]
            page.modal, page.modal_handle = result, "m_" + secrets.token_urlsafe(12)
        await self._preview.refresh()


def _message_menus(bot: discord.Client) -> list[str]:
    tree: Any = getattr(bot, "tree", None)
    return [menu.name for menu in tree.get_commands(type=discord.AppCommandType.message)] if tree else []


async def _closes_within(preview: Preview, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await preview.wait_closed()
    except TimeoutError:
        return False
    return True
