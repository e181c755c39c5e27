"""Counts Discord's answers to the bot's HTTP calls."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import aiohttp


class DiscordCalls:
    """The number of HTTP answers of Discord by status, such as `429`; `none` counts calls without an answer.

    discord.py and its webhooks use one session, which `trace` observes.
    """

    def __init__(self) -> None:
        self.answers = Counter[str]()
        self.trace = aiohttp.TraceConfig()
        self.trace.on_request_end.append(self._answered)
        self.trace.on_request_exception.append(self._failed)

    async def _answered(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        self.answers[str(end.response.status)] += 1

    async def _failed(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, error: aiohttp.TraceRequestExceptionParams
    ) -> None:
        self.answers["none"] += 1
