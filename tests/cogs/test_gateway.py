"""The connections to the gateway: when sessions may begin, and which are away."""

from __future__ import annotations

from typing import Any, cast

import discord
import pytest
from discord.http import HTTPClient

from bot import create_bot
from cogs.gateway import IDENTIFY_PAUSE, Gateway, IdentifyQueue, NoSessionsLeft
from inference import Config, Engine
from storage import Shards, StorageError
from tests.fakes import FakeBackend


def limits(remaining: int, max_concurrency: int = 1) -> discord.SessionStartLimits:
    return discord.SessionStartLimits(
        total=1000, remaining=remaining, reset_after=60_000, max_concurrency=max_concurrency
    )


async def nobody_waits(bucket: int, pause: float) -> float:
    return 0


def test_a_bot_that_may_not_log_in_so_often_says_until_when():
    with pytest.raises(NoSessionsLeft, match="lets the bot log in 3 more times today, and its shards need 4"):
        IdentifyQueue(nobody_waits).check(limits(3), 4)
    IdentifyQueue(nobody_waits).check(limits(4), 4)


class FakeHTTP:
    """Discord's answer to a bot that asks how to connect: four shards, but no new session."""

    async def get_bot_gateway(self) -> tuple[int, str, dict[str, Any]]:
        limit = {"total": 1000, "remaining": 0, "reset_after": 60_000, "max_concurrency": 1}
        return 4, "wss://gateway.discord.gg", limit


@pytest.mark.parametrize(("shards", "needed"), [(None, 4), (Shards(0, 1, 8), 2)])
async def test_a_bot_needs_a_session_for_each_shard_that_it_runs(config: Config, shards: Shards | None, needed: int):
    bot = create_bot(Engine(config, FakeBackend()), shards)
    bot.http = cast(HTTPClient, FakeHTTP())
    with pytest.raises(NoSessionsLeft, match=f"lets the bot log in 0 more times today, and its shards need {needed}"):
        await bot.launch_shards()


async def test_as_many_sessions_begin_together_as_discord_allows():
    claimed: list[tuple[int, float]] = []

    async def claim(bucket: int, pause: float) -> float:
        claimed.append((bucket, pause))
        return 0

    queue = IdentifyQueue(claim)
    queue.check(limits(1000, max_concurrency=2), 3)
    for shard in (4, 5, 6):
        await queue.wait(shard)
    assert claimed == [(0, IDENTIFY_PAUSE), (1, IDENTIFY_PAUSE), (0, IDENTIFY_PAUSE)]


async def test_a_session_begins_after_a_pause_if_the_turns_can_not_be_read():
    slept: list[float] = []

    async def claim(bucket: int, pause: float) -> float:
        raise StorageError("it is away")

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    await IdentifyQueue(claim, sleep).wait(0)
    assert slept == [IDENTIFY_PAUSE]


def test_the_gateway_is_connected_while_no_shard_is_away():
    gateway = Gateway()
    assert not gateway.is_connected
    gateway.disconnect(0)  # it was never there
    gateway.connect(0, "new")
    gateway.connect(1, "new")
    assert gateway.is_connected
    gateway.disconnect(1)
    gateway.connect(0, "resumed")
    assert not gateway.is_connected
    gateway.connect(1, "resumed")
    assert gateway.is_connected
    assert gateway.reconnects == {"new": 0, "resumed": 2}
