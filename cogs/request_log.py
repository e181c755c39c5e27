"""One line in the log for each request that has ended: what it was, how long it took, and nothing of its content."""

from __future__ import annotations

import logging

from discord.ext import commands

from cogs.client import Inkling
from cogs.logging_setup import fields
from inference import Observation, RequestEnded

log = logging.getLogger(__name__)


class RequestLog(commands.Cog):
    """A cog that observes the engine and writes the lines."""

    def __init__(self, bot: Inkling) -> None:
        self._engine = bot.engine

    async def cog_load(self) -> None:
        self._engine.observe(log_request)


def log_request(observation: Observation) -> None:
    """Write the line of a request that has ended; other observations have none."""
    if isinstance(observation, RequestEnded) and log.isEnabledFor(logging.INFO):
        log.info("request ended", extra=fields(request_fields(observation)))


def request_fields(ended: RequestEnded) -> dict[str, object]:
    """Return what the line says, by name. Times are in seconds; what is not known is left out."""
    known = {
        "id": ended.id,
        "task": ended.task,
        "model": ended.model,
        "person": ended.owner,
        "server": ended.group,
        "outcome": ended.outcome,
        "waited": round(ended.waited, 3),
        "ran": round(ended.ran, 3),
        ended.unit: ended.units,
        f"{ended.unit}_per_second": round(ended.units / ended.ran, 1) if ended.unit and ended.ran else "",
        "device": ended.device,
        "error": ended.error_id,
    }
    return {name: value for name, value in known.items() if name and value != ""}
