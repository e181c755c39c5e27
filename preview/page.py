"""The server between the browser and SimCord's page. It adds four features to the page.

SimCord shows one channel, has no message menus, treats `@Inkling` as plain text, and only publishes after actions. This
server on a fixed port forwards its page and adds menus, channels and mentions, and publishes changes by the bot at any
time. The scripts in `static/` are the browser's part of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import discord
from aiohttp import web
from simcord.actors import MemberActor
from simcord.backend.errors import BackendError, SetupError
from simcord.preview import Preview

from preview.channels import ListedChannel, listed_channels
from preview.environment import PreviewEnv
from preview.fixtures import Fixtures
from preview.media import KeepingMediaWorker
from preview.pictures import ink_drop
from preview.proxy import listen, proxy_request

log = logging.getLogger(__name__)

_STATIC = Path(__file__).parent / "static"
_MAX_UPLOAD_BYTES = 26 * 1024**2
"""The limit of SimCord's own page."""

_REVISION = re.compile(rb'("published_revision":)\d+')
"""The revision in an action's JSON. In text from users, its quotation marks would be escaped."""

_REFRESH_SECONDS = 0.5
"""Seconds between two checks for changes by the bot."""

_CANCEL_ID = "inkling:cancel:"
"""How the id of the button begins that cancels work. A message with this button shows work in progress."""

_CLOSE_SECONDS = 3.0
"""How long the end of the preview waits for requests of the page."""


class PreviewPage:
    """An async context manager. `url` is valid while it is entered; whoever has it can control the bot."""

    def __init__(self, env: PreviewEnv, fixtures: Fixtures, port: int, secret: str, acting: asyncio.Lock) -> None:
        self._env = env
        self._fixtures = fixtures
        self._port = port
        self._secret = secret
        self._channel = next(listed_channels(fixtures))
        self._acting = acting
        """SimCord can do one thing at a time: run an action, publish, or change the channel."""
        self._start = secrets.token_urlsafe(8)
        """The name of this start of the preview: messages from an earlier start are gone."""
        self._session = ""
        """The name of SimCord's preview: the page has to be loaded again when there is another."""
        self._published: object = None
        self._problem = ""
        """The problem that was logged last."""
        self._preview: Preview

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/#{self._secret}"

    async def __aenter__(self) -> PreviewPage:
        self._preview = await self._open_preview(self._channel)
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False)
        self._runner = web.AppRunner(self._routes(), access_log=None, shutdown_timeout=_CLOSE_SECONDS)
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
                    await self._try_to_update()
                elif preview is self._preview:  # and not closed by a change of channel
                    return

    async def _try_to_update(self) -> None:
        """Update the page. An error is logged, and the preview continues: the next try may succeed."""
        try:
            await self._update()
        except Exception as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        """Log an error in one line, unless it is the same as the last one."""
        problem = f"{type(error).__name__}: {error}".partition("\n")[0]
        if problem != self._problem:
            log.warning("The preview has a problem, and continues (%s).", problem)
        self._problem = problem

    async def _update(self) -> None:
        """Advance the bot's clock, and publish its changes, if there are any."""
        # A timer of the bot that is due advances the clock too. If both ran at the same time, they would wait for each
        # other. There is no await between the end of this wait and the next advance of the clock.
        await self._env.wait_for_timers()
        await self._env.advance_time(max(0.0, (datetime.now(UTC) - self._env.now()).total_seconds()))
        content = self._content()
        if content != self._published or self._is_stale():
            await self._preview.refresh()
            self._published = content

    def _is_stale(self) -> bool:
        """Return whether an action has failed. SimCord then accepts no other action before it publishes again."""
        return any(page.status == "stale" for page in self._preview._pages.values())  # pyright: ignore[reportPrivateUsage]

    def _content(self) -> list[object]:
        """Return everything in the open channel that an edit can change, including private answers."""
        return [
            (
                message.id,
                message.content,
                message.embeds,
                [file.id for file in message.attachments],
                [row.to_dict() for row in message.components],
            )
            for message in self._messages()
        ]

    def _messages(self) -> Iterable[discord.Message]:
        """Return the messages of the open channel, including those that only one member can see."""
        shown, viewers = self._channel.handle, self._channel.viewers
        return {message.id: message for viewer in viewers for message in shown.history(viewer=viewer)}.values()

    def _routes(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_UPLOAD_BYTES, middlewares=[self._catch_errors, self._authorize])
        app.router.add_get("/inkling/icon.png", self._icon)
        app.router.add_static("/inkling/", _STATIC)
        app.router.add_get("/api/inkling/status", self._status)
        app.router.add_post("/api/inkling/channel", self._change_channel)
        app.router.add_post("/api/inkling/menu", self._menu)
        app.router.add_post("/api/action", self._run_action)
        app.router.add_route("*", "/{path:.*}", self._forward)
        return app

    async def _icon(self, _: web.Request) -> web.Response:
        return web.Response(body=ink_drop(), content_type="image/png")

    @web.middleware
    async def _catch_errors(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            return await handler(request)
        except (SetupError, BackendError) as error:  # SimCord's refusals
            return web.json_response({"error": str(error)}, status=409)
        except web.HTTPException:
            raise
        except Exception as error:
            self._report(error)
            raise web.HTTPInternalServerError from error

    @web.middleware
    async def _authorize(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Require the secret part of the link for this server's own routes, as SimCord does for its routes."""
        is_own = request.path.startswith("/api/inkling/")
        if is_own and request.headers.get("X-Simcord-Capability") != self._secret:
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

    async def _open_preview(self, channel: ListedChannel) -> Preview:
        """Open SimCord's preview of one channel."""
        preview = self._env.preview(
            channel.handle, viewers=channel.viewers, layout="channel", assets=self._fixtures.pictures
        )
        preview.capability = self._secret
        preview._media_worker = KeepingMediaWorker()  # pyright: ignore[reportPrivateUsage]
        self._channel = channel
        self._session = secrets.token_urlsafe(8)
        return await preview.__aenter__()

    async def _status(self, _: web.Request) -> web.Response:
        """Tell the page what is there; it asks all the time, and so finds out when the preview has ended."""
        channels = [
            {
                "id": str(channel.handle.id),
                "name": channel.name,
                "kind": channel.kind,
                "open": channel.handle.id == self._channel.handle.id,
            }
            for channel in listed_channels(self._fixtures)
        ]
        status = {"start": self._start, "session": self._session, "running": self._running(), "channels": channels}
        menus = [] if self._channel.kind == "direct" else _message_menus(self._env.bot)  # SimCord has none there
        return web.json_response({**status, "menus": menus})

    def _running(self) -> list[str]:
        """Return the ids of the messages that show work in progress."""
        return [str(message.id) for message in self._messages() if _CANCEL_ID in str(message.components)]

    async def _change_channel(self, request: web.Request) -> web.Response:
        wanted = (await request.json())["channel"]
        channels = listed_channels(self._fixtures)
        channel = next((channel for channel in channels if str(channel.handle.id) == wanted), None)
        if channel is None:
            raise web.HTTPNotFound
        async with self._acting:
            await self._preview.close()
            self._preview = await self._open_preview(channel)
        return web.json_response({})

    async def _menu(self, request: web.Request) -> web.Response:
        """Run a message menu, then show its result (a message or a form) in the page of the user."""
        body = await request.json()
        viewer = next(member for member in self._fixtures.viewers if str(member.id) == body["viewer"])
        async with self._acting:
            await self._run_menu(viewer, body["name"], int(body["message"]), body["context"])
        return web.json_response({})

    async def _run_menu(self, viewer: MemberActor, name: str, message_id: int, context: str) -> None:
        message = next(m for m in self._channel.handle.history(viewer=viewer) if m.id == message_id)
        result = await viewer.context_menu(self._channel.handle, name, message)
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
