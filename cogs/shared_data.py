"""What other processes of the bot change in the database that they share with this one."""

from __future__ import annotations

import logging

from discord.ext import commands, tasks

from cogs.client import Inkling
from cogs.common.blocking import end_blocked
from storage import StorageError

log = logging.getLogger(__name__)


class SharedData(commands.Cog):
    """A cog that takes over settings, blocks and used computing time from other processes, each second."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        self._failure = ""
        """Why the database can't be used, empty if it can."""

    async def cog_load(self) -> None:
        if self.bot.store.is_shared:
            self.take_over.start()

    async def cog_unload(self) -> None:
        self.take_over.cancel()

    @tasks.loop(seconds=1)
    async def take_over(self) -> None:
        """Take over what has changed, and end the requests that a new block forbids."""
        try:
            blocks = await self.bot.store.refresh()
            await self.bot.store.device_use.flush()  # for the others, and what failed while the database was away
        except StorageError as error:
            if str(error) != self._failure:
                log.error("changes of other processes are not known until the database is back: %s", error)
            self._failure = str(error)
            return
        if self._failure:
            log.info("the database is back")
        self._failure = ""
        for block in blocks:
            await end_blocked(self.bot.sessions, block)
