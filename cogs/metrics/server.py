"""The pages for programs that watch the bot: /metrics, /health and /ready."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from cogs.metrics.bot_collector import BotCollector
from cogs.metrics.readiness import Readiness
from inference import Address


class AddressUnavailable(Exception):
    """The address of the metrics can't be used; the message says what to do."""


@asynccontextmanager
async def served(
    address: Address, registry: CollectorRegistry, collector: BotCollector, readiness: Readiness
) -> AsyncGenerator[Address]:
    """Serve the pages, and yield where: port 0 takes a free one. Raise AddressUnavailable."""
    runner = web.AppRunner(_application(registry, collector, readiness), access_log=None)
    await runner.setup()
    try:
        await _listen(runner, address)
        host, port, *_ = runner.addresses[0]
        yield Address(host, port)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: Address) -> None:
    try:
        await web.TCPSite(runner, *address, shutdown_timeout=1).start()
    except OSError as error:
        reason = "the port is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise AddressUnavailable(
            f"The metrics can't be served on {address}: {reason}. Choose another address for `metrics` in config.yaml, "
            "or end the program that uses it."
        ) from error


def _application(registry: CollectorRegistry, collector: BotCollector, readiness: Readiness) -> web.Application:
    async def metrics(request: web.Request) -> web.Response:
        """Return the metrics, with exemplars if the client reads OpenMetrics. Some are files: not on the event loop."""
        await collector.refresh()
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body = await asyncio.to_thread(encode, registry)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def health(request: web.Request) -> web.Response:
        """Return 200: the event loop, which answers here, is alive."""
        return web.json_response({"alive": True})

    async def ready(request: web.Request) -> web.Response:
        """Return 200 if the bot can answer people, or else 503 with the reasons."""
        reasons = await readiness.reasons()
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    application = web.Application()
    application.add_routes([web.get("/metrics", metrics), web.get("/health", health), web.get("/ready", ready)])
    return application
