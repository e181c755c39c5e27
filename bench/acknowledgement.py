"""200 people call a command at once: when each has its acknowledgement, and the processor time that the bot takes.

The real bot runs in this process, with a model that answers at once. It speaks real HTTP with the stand-in for Discord
of `bench.crash`, which runs in another process, so that its own time does not count.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from bench.crash.discord_server import DiscordServer
from bench.crash.redirected_bot import redirect
from bench.crash.world import World
from bench.result_table import Row, at_most
from bot import create_bot
from inference import CompleteRequest, Completion, Engine, ModelSpec, Result, load_config

COMMANDS = 200
SERVERS = 5
RUNS = 3
"""Bursts; the figures are those of the best, since other programs only add time."""

_SETTINGS = Path(__file__).parents[1] / "config.yaml"
_MOST_SECONDS = 60.0
_PAUSE = 0.005
_SECONDS_IDLE = 0.5
"""Seconds after which the stand-in closes a connection, so that a burst finds none, as after a quiet minute."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The seconds until each acknowledgement, and the processor time in seconds until the last."""

    waits: Sequence[float]
    processor: float


def measure() -> list[Row]:
    with TemporaryDirectory() as folder:
        bursts = asyncio.run(bursts_of(COMMANDS, RUNS, Path(folder)))
    waits = quantiles(min((burst.waits for burst in bursts), key=max), n=100)
    figures = (
        ("p50", waits[49], 300),
        ("p99", waits[98], 300),
        ("processor time of each", min(burst.processor for burst in bursts) / COMMANDS, 1.5),
    )
    work = f"{COMMANDS} commands at once until acknowledged"
    return [
        Row(work=f"{work}, {figure}", unit="ms", ours=seconds * 1000, aims=(at_most(allowed),))
        for figure, seconds, allowed in figures
    ]


async def bursts_of(commands: int, runs: int, folder: Path) -> list[Burst]:
    """Send so many commands at once, so many times, to a bot with its data in `folder`. One more burst warms it up."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    discord = multiprocessing.get_context("spawn").Process(target=_serve_discord, args=(theirs, commands), daemon=True)
    discord.start()
    redirect(await asyncio.to_thread(ours.recv))
    config = load_config(_SETTINGS).model_copy(update={"data": folder})
    backend: Any = _InstantBackend()
    bot = create_bot(Engine(config, backend))
    running = asyncio.create_task(bot.start("token"))
    try:
        return [await asyncio.to_thread(_burst, ours) for _ in range(runs + 1)][1:]
    finally:
        await bot.close()
        await running
        ours.send(False)
        await asyncio.to_thread(discord.join, _MOST_SECONDS)


def _burst(discord: Connection) -> Burst:
    """Let the stand-in send one burst. The bot runs on another thread of this process meanwhile."""
    before = time.process_time()
    discord.send(True)
    discord.recv()
    processor = time.process_time() - before
    return Burst(discord.recv(), processor)


def _serve_discord(bot: Connection, commands: int) -> None:
    """Run the stand-in in a process of its own: tell its address, then send a burst whenever `bot` asks for one."""
    asyncio.run(_serve(bot, commands))


async def _serve(bot: Connection, commands: int) -> None:
    names = [f"person {number}" for number in range(commands)]
    async with DiscordServer(World(names, "general", "a thread", SERVERS), _SECONDS_IDLE) as discord:
        bot.send(discord.world.address)
        while await asyncio.to_thread(bot.recv):
            await discord.gateway.ready.wait()
            await _let_all_ask(discord, bot)


async def _let_all_ask(discord: DiscordServer, bot: Connection) -> None:
    """Let each person call a command. Tell the bot when all are acknowledged, and when all are answered."""
    world = discord.world
    data = world.command_data("complete", {"prompt": "On a hill, a", "seed": 1}, None)
    asked = [
        await discord.command(person, world.channels[number % SERVERS], data)
        for number, person in enumerate(world.people)
    ]
    await _until(lambda: all(each.acknowledged for each in asked))
    bot.send(None)
    await _until(lambda: not any(each.response and each.response.loading for each in asked))
    await asyncio.sleep(2 * _SECONDS_IDLE)
    bot.send([each.seconds_to_acknowledge for each in asked])


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(_MOST_SECONDS):
        while not done():  # noqa: ASYNC110  # the stand-in has no event for it
            await asyncio.sleep(_PAUSE)


class _Ticket:
    units = 1
    device = "cpu"

    def cancel(self) -> None:
        """Do nothing: the answer is already there."""


class _InstantBackend:
    """The part of a backend that completions need. It answers at once."""

    def schedule(self, spec: ModelSpec, request: CompleteRequest, listener: Any, request_id: str = "") -> _Ticket:
        asyncio.get_running_loop().call_soon(listener, Result(Completion(" tree", request.seed or 0)))
        return _Ticket()

    def expected_seconds(self, spec: ModelSpec, request: CompleteRequest) -> float:
        return 1.0

    def loaded(self, spec: ModelSpec) -> bool:
        return True

    def answers_about_pictures(self, spec: ModelSpec) -> bool:
        return False

    async def close(self) -> None:
        """Do nothing."""
