"""Metrics for Prometheus, and whether the bot is alive and ready: served over HTTP where config.yaml says so."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack

from discord.ext import commands
from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics

from cogs.client import Inkling
from cogs.metrics.bot_collector import BotCollector
from cogs.metrics.engine_metrics import EngineMetrics
from cogs.metrics.loop_lag import measured_loop_lag
from cogs.metrics.readiness import Readiness
from cogs.metrics.server import served
from inference import Address

log = logging.getLogger(__name__)


class Metrics(commands.Cog):
    """A cog that observes the bot and serves what it finds. Without an address it does nothing."""

    def __init__(self, bot: Inkling) -> None:
        self._bot = bot
        self._running = AsyncExitStack()
        self.address: Address | None = None
        """Where the pages are served; None if they are not."""

    async def cog_load(self) -> None:
        """Start to observe and to serve. Raise AddressUnavailable."""
        bot = self._bot
        if bot.config.metrics is None:
            return
        disable_created_metrics()  # the times at which counters began are of no use here, and double the page
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        readiness = Readiness(bot.engine, bot.gateway)
        collector = BotCollector(bot, readiness)
        registry.register(collector)
        bot.engine.observe(EngineMetrics(bot.engine, registry))
        pages = served(bot.config.metrics, registry, collector, readiness)
        self.address = await self._running.enter_async_context(pages)
        log.info("metrics are on http://%s/metrics", self.address)
        self._running.enter_context(measured_loop_lag(registry))

    async def cog_unload(self) -> None:
        await self._running.aclose()
