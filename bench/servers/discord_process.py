"""The stand-in for Discord in a process of its own, so that its own time does not count."""

from __future__ import annotations

import asyncio
import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from bench.crash.discord_server import DiscordServer
from bench.crash.gateway import Gateway
from bench.servers.load import Load, Phase, PhaseReport
from bench.servers.many_servers import ManyServers

_SEED = 1
_MOST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Size:
    """How many servers the bot is on, by how many shards, of which so many may begin at once."""

    servers: int
    shards: int
    max_concurrency: int = 1


class DiscordProcess:
    """The process. `address` is where it listens."""

    def __init__(self, size: Size) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._ours, theirs = spawn.Pipe()
        self._process: BaseProcess = spawn.Process(target=_serve, args=(theirs, size), daemon=True)
        self._process.start()
        theirs.close()  # so that its end is noticed here

    async def address(self) -> str:
        """Return where it listens, when it does."""
        return await asyncio.to_thread(self._ours.recv)

    async def act(self, phase: Phase) -> None:
        """Let people act until the end of this phase."""
        self._ours.send(phase)
        await asyncio.to_thread(self._ours.recv)

    async def report(self) -> PhaseReport:
        """Return what became of what they asked, when all of it is answered."""
        return await asyncio.to_thread(self._ours.recv)

    async def stop(self) -> None:
        self._ours.send(None)
        await asyncio.to_thread(self._process.join, _MOST_SECONDS)


def _serve(bot: Connection, size: Size) -> None:
    asyncio.run(_serve_phases(bot, size))


async def _serve_phases(bot: Connection, size: Size) -> None:
    world = ManyServers(size.servers, _SEED)
    gateway = Gateway(world, size.shards, size.max_concurrency)
    async with DiscordServer(world, gateway=gateway) as discord:
        load = Load(discord, world, _SEED)
        bot.send(world.address)
        while phase := await asyncio.to_thread(bot.recv):
            await gateway.ready.wait()
            await load.act(phase)
            bot.send(None)
            bot.send(await load.report())
