"""The connections to Discord's gateway, as discord.py reports them, and when a new session may begin."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Literal

import discord

from storage import StorageError

log = logging.getLogger(__name__)

Session = Literal["new", "resumed"]
"""Whether a connection began a new session, or went on with the one before."""

IDENTIFY_PAUSE = 5.5
"""Seconds between two sessions that begin in one bucket: Discord asks for 5, and clocks differ a little."""

Claim = Callable[[int, float], Awaitable[float]]
"""Claims the next turn of a bucket (its number, and the pause after it), and returns the seconds until then."""


class NoSessionsLeft(Exception):
    """Discord allows no more new sessions until a time that the message says."""


class Gateway:
    """Whether all shards that were started are connected, and how often they had to connect again."""

    def __init__(self) -> None:
        self.reconnects: Counter[Session] = Counter()
        self._started: set[int] = set()
        self._away: set[int] = set()

    @property
    def is_connected(self) -> bool:
        return bool(self._started) and not self._away

    def connect(self, shard: int, session: Session) -> None:
        """Note a connection. The first one of a shard is no reconnect."""
        self.reconnects[session] += shard in self._started
        self._started.add(shard)
        self._away.discard(shard)

    def disconnect(self, shard: int) -> None:
        """Note that a shard is away; discord.py connects it again by itself."""
        if shard in self._started:
            self._away.add(shard)


class IdentifyQueue:
    """Lets sessions begin as fast as Discord allows: one of each bucket at a time, with a pause.

    The shards of a bucket have the same remainder of their number and Discord's `max_concurrency`. Turns are stored,
    so that they hold over a restart.

    Source: https://discord.com/developers/docs/events/gateway#sharding-max-concurrency
    """

    def __init__(self, claim: Claim, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._claim = claim
        self._sleep = sleep
        self._buckets = 1

    def check(self, limits: discord.SessionStartLimits, needed: int) -> None:
        """Note how many sessions may begin at once. Raise NoSessionsLeft if fewer than `needed` may begin today."""
        self._buckets = max(1, limits.max_concurrency)
        if limits.remaining < needed:
            again = datetime.datetime.now() + datetime.timedelta(milliseconds=limits.reset_after)
            raise NoSessionsLeft(
                f"Discord lets the bot log in {limits.remaining} more times today, and its shards need {needed}. "
                f"Start it again after {again:%H:%M}; Discord resets the token of a bot that goes on trying."
            )

    async def wait(self, shard: int) -> None:
        """Wait until the session of this shard may begin."""
        try:
            pause = await self._claim(shard % self._buckets, IDENTIFY_PAUSE)
        except StorageError as error:
            log.warning("shard %d begins a session without knowing of those of others: %s", shard, error)
            pause = IDENTIFY_PAUSE
        await self._sleep(pause)
