"""SimCord's environment of the bot, for a bot that may be busy while people use it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from discord.ext import commands
from simcord.env import Env

log = logging.getLogger(__name__)

_START_SECONDS = 120.0
"""How long the bot may take to settle while the preview starts. After that, the preview can't start."""

_SETTLE_SECONDS = 0.3
"""How long an operation waits for the bot to settle, once the preview is used."""

_RESPONSE_SECONDS = 5.0
"""How long a command or a click waits for the bot's first response, which may be a form."""

_BUSY_SECONDS = 60.0
"""After so many seconds without a settled bot, the log says so."""


class PreviewEnv(Env):
    """SimCord waits after each operation until the bot has settled, and raises TimeoutError if that takes too long.

    This is right for tests, and while the preview starts. When people use it, a busy bot must neither block the page
    nor end the preview: an operation then waits a moment, and continues with a bot that is still at work.
    """

    in_use = False
    """Whether people use the preview, so that no operation may wait for long."""

    def __init__(self, bot: commands.AutoShardedBot) -> None:
        super().__init__(bot, shard_count=1, check_errors=False, settle_timeout=_START_SECONDS)
        self._interaction: Any = None
        """The newest command, click or form."""
        self._settled_at = 0.0
        self._is_reported = False

    async def shutdown(self) -> None:
        """Detach the bot. Threads that are still at work are left to the engine, which ends them."""
        self.settle_timeout = _SETTLE_SECONDS
        with suppress(TimeoutError):
            await super().shutdown()

    async def wait_for_timers(self) -> None:
        """Wait for timers of the bot that are due. They advance the clock, which only one task may do at a time."""
        while (advancing := self._real_advance_task) and not advancing.done():
            await asyncio.wait([advancing])

    def _notify_dispatch_observers(self, interaction: Any) -> None:
        self._interaction = interaction
        super()._notify_dispatch_observers(interaction)

    async def _settle_internal(
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109
        idle: float = 0.05,
        dispatch: str | None = None,
        _deadline: float | None = None,
    ) -> None:
        """Override the method that all of SimCord's operations call after they have done something."""
        if not self.in_use:  # without `timeout`: SimCord's five seconds for a login are too few on a busy machine
            await super()._settle_internal(idle=idle, dispatch=dispatch, _deadline=_deadline)
            self._note_settled(True)
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + _RESPONSE_SECONDS
        while not await self._settles_soon(idle, dispatch) and loop.time() < end:
            if dispatch != "INTERACTION_CREATE" or self._interaction.responded:
                return

    async def _settles_soon(self, idle: float, dispatch: str | None) -> bool:
        deadline = asyncio.get_running_loop().time() + _SETTLE_SECONDS
        try:
            await super()._settle_internal(idle=idle, dispatch=dispatch, _deadline=deadline)
        except TimeoutError:
            self._note_settled(False)
            return False
        self._note_settled(True)
        return True

    def _note_settled(self, settled: bool) -> None:
        """Report once that the bot has been busy for long."""
        now = asyncio.get_running_loop().time()
        if settled:
            self._settled_at, self._is_reported = now, False
        elif now - self._settled_at > _BUSY_SECONDS and not self._is_reported:
            self._is_reported = True
            log.warning("The bot has been busy for a minute. The page shows its messages as they are.")
