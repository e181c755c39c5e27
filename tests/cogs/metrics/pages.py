"""The pages of a bot that serves metrics, read as Prometheus reads them."""

from __future__ import annotations

from typing import Any, cast

import aiohttp
import discord
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from cogs.client import Inkling
from cogs.metrics import Metrics
from inference import Address

OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def address_of(bot: discord.Client) -> Address:
    """Return where the bot serves its pages."""
    cog = cast(Inkling, bot).get_cog("Metrics")
    assert isinstance(cog, Metrics)
    assert cog.address is not None
    return cog.address


async def get(bot: discord.Client, path: str, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Return status, content type and text of a page."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{address_of(bot)}{path}", headers=headers) as response,
    ):
        return response.status, response.headers["Content-Type"], await response.text()


async def families(bot: discord.Client) -> dict[str, Metric]:
    """Return what /metrics says, by name."""
    _, _, text = await get(bot, "/metrics", OPEN_METRICS)
    return {family.name: family for family in text_string_to_metric_families(text)}


async def value(bot: discord.Client, sample: str, **labels: str) -> float | None:
    """Return the value of one sample; None if there is none."""
    for family in (await families(bot)).values():
        for found in family.samples:
            if found.name == sample and found.labels == labels:
                return float(cast(Any, found.value))
    return None
