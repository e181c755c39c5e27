"""What other processes of the bot change in the database that they share with this one."""

from __future__ import annotations

import asyncio
import logging

from discord.ext import commands

from cogs.client import Inkling
from cogs.common.blocking import end_blocked
from cogs.common.loops import every
from cogs.common.personal_data import forget_person
from inference import DeviceUsed
from storage import Changes, DeviceSeconds, ShardsTaken, StorageError

log = logging.getLogger(__name__)

_RECENT = 60.0
"""Seconds after which use is too old for the fair order."""


class SharedData(commands.Cog):
    """A cog that takes over settings, blocks and used computing time from other processes, each second."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        self._failure = ""
        """Why the database can't be used, empty if it can."""
        self._current_at: float | None = None
        """When changes were last taken over, by the clock of the event loop."""

    async def cog_load(self) -> None:
        if self.bot.store.is_shared:
            self.take_over.start()

    async def cog_unload(self) -> None:
        self.take_over.cancel()

    @every(1)
    async def take_over(self) -> None:
        """Take over what has changed, and do here what must follow, such as to end what a new block forbids.

        The bot ends if another process runs its shards meanwhile.
        """
        try:
            await self._follow(await self.bot.store.refresh())
            await self.bot.store.device_use.flush()  # for the others, and what failed while the database was away
        except ShardsTaken as error:
            self.bot.hand_over(error)
            return
        except StorageError as error:
            if str(error) != self._failure:
                log.error("changes of other processes are not known until the database is back: %s", error)
            self._failure = str(error)
            return
        if self._failure:
            log.info("the database is back")
        self._failure = ""

    async def _follow(self, changes: Changes) -> None:
        """Do here what must follow from these changes. What was used long ago is no recent use any more."""
        now = asyncio.get_running_loop().time()
        since, self._current_at = now - (self._current_at or now), now
        for use in changes.device_use if since < _RECENT else ():
            self.bot.engine.charge(_elsewhere(use))
        for block in changes.blocks:
            await end_blocked(self.bot.sessions, block)
        for person in changes.deleted_people:
            await forget_person(self.bot.personal_data, self.bot.sessions, person)


def _elsewhere(use: DeviceSeconds) -> DeviceUsed:
    owner, group = (str(number or "") for number in (use.owner, use.server))
    return DeviceUsed("", owner, group, use.seconds)
