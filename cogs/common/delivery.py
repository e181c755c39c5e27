"""Errors of calls to Discord, and the last word of a request, which is tried until it arrives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
import discord

log = logging.getLogger(__name__)

DELIVERY = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, TimeoutError, OSError)
"""Errors of calls to Discord: the message failed, not the model."""

_PAUSES = (1, 2, 5, 10, 20, 30, 60, 60, 60, 60, 60)
"""Seconds between two attempts: six minutes in all. discord.py makes several attempts in each."""

_UNKNOWN_MESSAGE = 10008
_UNKNOWN_INTERACTION = 10062


def is_deleted(error: BaseException) -> bool:
    """Return whether somebody has deleted the message, so that nobody waits for it any more."""
    return isinstance(error, discord.NotFound) and error.code == _UNKNOWN_MESSAGE


def is_too_late(error: BaseException) -> bool:
    """Return whether Discord has told the person already that the bot did not respond within three seconds."""
    return isinstance(error, discord.NotFound) and error.code == _UNKNOWN_INTERACTION


def may_pass(error: BaseException) -> bool:
    """Return whether another attempt may succeed: Discord could not be reached, or failed."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500
    return isinstance(error, DELIVERY)


async def until_delivered(send: Callable[[], Awaitable[object]]) -> None:
    """Call `send` until it succeeds, for some minutes. Raise its error if it can't succeed, or did not."""
    for pause in _PAUSES:
        try:
            await send()
        except DELIVERY as error:
            if not may_pass(error):
                raise
            log.warning("Discord can't be reached, the next attempt is in %d seconds: %s", pause, error)
            await asyncio.sleep(pause)
        else:
            return
    await send()
