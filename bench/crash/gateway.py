"""The gateway of the stand-in for Discord: one bot is connected at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from aiohttp import WSMsgType, web

from bench.crash.world import Interaction, Json, Message, World

_HEARTBEAT_MILLISECONDS = 41_250

_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _INVALID_SESSION, _HELLO, _HEARTBEAT_ACK = 0, 1, 2, 6, 9, 10, 11


class Gateway:
    """Sends events to the bot while it is connected. `ready` is set as soon as it is."""

    def __init__(self, world: World) -> None:
        self.ready = asyncio.Event()
        self.url = ""
        self._world = world
        self._socket: web.WebSocketResponse | None = None
        self._sequence = 0

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it ends."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await _send(socket, _HELLO, {"heartbeat_interval": _HEARTBEAT_MILLISECONDS})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._receive(socket, json.loads(frame.data))
        finally:
            if self._socket is socket:
                self._socket = None
                self.ready.clear()
        return socket

    def description(self) -> Json:
        """Return what a bot is told before it connects: the address, how many shards, how many sessions."""
        limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return {"url": self.url, "shards": 1, "session_start_limit": limit}

    async def deliver(self, interaction: Interaction) -> None:
        """Report an interaction, and note whether the bot was there to receive it."""
        interaction.delivered = await self._dispatch("INTERACTION_CREATE", self._world.interaction_event(interaction))

    async def report(self, event: str, message: Message) -> None:
        """Report a new, an edited or a deleted message, if everybody sees it and it is on the server."""
        if message.ephemeral or message.place.to:
            return
        ids = {"id": str(message.id), "channel_id": str(message.place.id), "guild_id": str(message.place.guild)}
        await self._dispatch(event, ids if event == "MESSAGE_DELETE" else self._world.message_event(message))

    async def _receive(self, socket: web.WebSocketResponse, message: Json) -> None:
        operation = message["op"]
        if operation == _HEARTBEAT:
            await _send(socket, _HEARTBEAT_ACK, None)
        elif operation == _IDENTIFY:
            await self._identify(socket)
        elif operation == _RESUME:
            await _send(socket, _INVALID_SESSION, False)

    async def _identify(self, socket: web.WebSocketResponse) -> None:
        self._socket, self._sequence, world = socket, 0, self._world
        session = {"session_id": str(world.new_id()), "resume_gateway_url": self.url, "v": 10, "shard": [0, 1]}
        application = {"id": str(world.bot.id), "flags": 0}
        guilds = [{"id": str(guild), "unavailable": True} for guild in world.guilds]
        await self._dispatch(
            "READY", {**session, "user": world.bot.payload(), "guilds": guilds, "application": application}
        )
        for guild in world.guilds:
            await self._dispatch("GUILD_CREATE", world.guild_payload(guild))
        self.ready.set()

    async def _dispatch(self, event: str, data: Json) -> bool:
        """Send an event. Return whether there is a connection."""
        if self._socket is None or self._socket.closed:
            return False
        self._sequence += 1
        with contextlib.suppress(ConnectionError):
            await _send(self._socket, _DISPATCH, data, s=self._sequence, t=event)
            return True
        return False


async def _send(socket: web.WebSocketResponse, operation: int, data: Any, **fields: Any) -> None:
    await socket.send_str(json.dumps({"op": operation, "d": data, "s": None, "t": None, **fields}))
