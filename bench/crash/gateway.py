"""The gateway of the stand-in for Discord: one bot is connected at a time, by one connection for each shard."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from typing import Any

from aiohttp import WSMsgType, web

from bench.crash.world import Interaction, Json, Message, World

_HEARTBEAT_MILLISECONDS = 41_250

_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _INVALID_SESSION, _HELLO, _HEARTBEAT_ACK = 0, 1, 2, 6, 9, 10, 11


class Gateway:
    """Sends events to the bot while it is connected. `ready` is set as soon as all `shards` are.

    `max_concurrency` is how many of them may begin at once.
    """

    def __init__(self, world: World, shards: int = 1, max_concurrency: int = 1) -> None:
        self.ready = asyncio.Event()
        self.url = ""
        self._world = world
        self._shards = shards
        self._max_concurrency = max_concurrency
        self._connections: dict[int, _Connection] = {}
        """The connections that have their servers, by shard."""

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it ends."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = _Connection(socket, compress=request.query.get("compress") == "zlib-stream")
        await connection.send(_HELLO, {"heartbeat_interval": _HEARTBEAT_MILLISECONDS})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._receive(connection, json.loads(frame.data))
        finally:
            for shard in [shard for shard, other in self._connections.items() if other is connection]:
                del self._connections[shard]
                self.ready.clear()
        return socket

    def description(self) -> Json:
        """Return what a bot is told before it connects: the address, how many shards, how many sessions."""
        limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": self._max_concurrency}
        return {"url": self.url, "shards": self._shards, "session_start_limit": limit}

    async def deliver(self, interaction: Interaction) -> None:
        """Report an interaction, and note whether the bot was there to receive it."""
        event = self._world.interaction_event(interaction)
        interaction.delivered = await self.dispatch("INTERACTION_CREATE", event, interaction.place.guild)

    async def report(self, event: str, message: Message) -> None:
        """Report a new, an edited or a deleted message, if everybody sees it and it is on the server."""
        if message.ephemeral or message.place.to:
            return
        guild = message.place.guild
        ids = {"id": str(message.id), "channel_id": str(message.place.id), "guild_id": str(guild)}
        await self.dispatch(event, ids if event == "MESSAGE_DELETE" else self._world.message_event(message), guild)

    async def dispatch(self, event: str, data: Json, guild: int) -> bool:
        """Send an event of a server to its shard. Return whether that is connected."""
        connection = self._connections.get(self._shard_of(guild))
        return connection is not None and await connection.dispatch(event, data)

    def _shard_of(self, guild: int) -> int:
        return (guild >> 22) % self._shards

    async def _receive(self, connection: _Connection, message: Json) -> None:
        operation = message["op"]
        if operation == _HEARTBEAT:
            await connection.send(_HEARTBEAT_ACK, None)
        elif operation == _IDENTIFY:
            await self._identify(connection, message["d"].get("shard", [0, 1])[0])
        elif operation == _RESUME:
            await connection.send(_INVALID_SESSION, False)

    async def _identify(self, connection: _Connection, shard: int) -> None:
        world = self._world
        guilds = [guild for guild in world.guilds if self._shard_of(guild) == shard]
        session = {"session_id": str(world.new_id()), "resume_gateway_url": self.url, "v": 10}
        await connection.dispatch(
            "READY",
            {
                **session,
                "shard": [shard, self._shards],
                "user": world.bot.payload(),
                "guilds": [{"id": str(guild), "unavailable": True} for guild in guilds],
                "application": {"id": str(world.bot.id), "flags": 0},
            },
        )
        for guild in guilds:
            await connection.dispatch("GUILD_CREATE", world.guild_payload(guild))
        self._connections[shard] = connection
        if len(self._connections) == self._shards:
            self.ready.set()


class _Connection:
    """The connection of one shard. All that is sent is one stream of compressed data, if the bot has asked for that."""

    def __init__(self, socket: web.WebSocketResponse, *, compress: bool) -> None:
        self._socket = socket
        self._deflate = zlib.compressobj(1) if compress else None
        self._sequence = 0

    async def dispatch(self, event: str, data: Json) -> bool:
        """Send an event. Return whether the bot is there."""
        self._sequence += 1
        with contextlib.suppress(ConnectionError):
            if not self._socket.closed:
                await self.send(_DISPATCH, data, s=self._sequence, t=event)
                return True
        return False

    async def send(self, operation: int, data: Any, **fields: Any) -> None:
        text = json.dumps({"op": operation, "d": data, "s": None, "t": None, **fields})
        if self._deflate:
            compressed = self._deflate.compress(text.encode())
            await self._socket.send_bytes(compressed + self._deflate.flush(zlib.Z_SYNC_FLUSH))
        else:
            await self._socket.send_str(text)
