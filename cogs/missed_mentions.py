"""Answers to mentions of the bot that came while it was away."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections import deque
from collections.abc import Sequence

import discord
from discord.ext import commands

from cogs.client import Inkling
from cogs.common.calls import mentions_bot
from cogs.common.delivery import DELIVERY

log = logging.getLogger(__name__)

_MAX_AGE = datetime.timedelta(minutes=5)
"""Older messages are not answered any more: the person has given up, or asked again."""

_MOST_CHANNELS = 50
_MOST_SEEN = 1000
_MOST_MESSAGES = 100


class MissedMentions(commands.Cog):
    """Looks for unanswered mentions after each connection, in the channels where somebody has written lately."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        self._seen: deque[int] = deque(maxlen=_MOST_SEEN)
        """The latest messages that were received or found: a reconnection must not answer them again."""

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Remember the message."""
        if mentions_bot(message):
            self._seen.append(message.id)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Answer the mentions of the last minutes that have no answer yet."""
        since = discord.utils.utcnow() - _MAX_AGE
        for channel in await _active_channels(list(self.bot.guilds), discord.utils.time_snowflake(since)):
            try:
                await self._answer_missed(channel, since)
            except DELIVERY as error:
                log.warning("missed mentions in %s could not be read: %s", channel.id, error)

    async def _answer_missed(self, channel: discord.TextChannel | discord.Thread, since: datetime.datetime) -> None:
        latest = channel.history(after=since, limit=_MOST_MESSAGES, oldest_first=False)
        messages = [message async for message in latest][::-1]
        answered = {
            message.reference.message_id
            for message in messages
            if message.reference and message.author == self.bot.user
        }
        answered |= {target.asked_in for target in self.bot.sessions.targets()}
        mentions = [message for message in messages if mentions_bot(message)]
        talk = {message.id for message in mentions if not (await self.bot.get_context(message)).command}
        # What a person says is answered together with what they said before; each command has an answer of its own.
        latest_talk = {each.author.id: each.id for each in mentions if each.id in answered and each.id in talk}
        for message in mentions:
            was_answered = message.id in answered or (
                message.id in talk and message.id < latest_talk.get(message.author.id, 0)
            )
            if not was_answered and message.id not in self._seen:
                log.info("a mention in %s came while the bot was away", channel.id)
                self.bot.dispatch("message", message)


async def _active_channels(
    guilds: Sequence[discord.Guild], since: int
) -> Sequence[discord.TextChannel | discord.Thread]:
    """Return the first channels and threads that the bot may read, and that have a message after `since`."""
    found: list[discord.TextChannel | discord.Thread] = []
    for guild in guilds:
        await asyncio.sleep(0)  # thousands of servers take a while, in which others want to be answered
        found += (channel for channel in (*guild.text_channels, *guild.threads) if _is_active(channel, since))
        if len(found) >= _MOST_CHANNELS:
            break
    return found[:_MOST_CHANNELS]


def _is_active(channel: discord.TextChannel | discord.Thread, since: int) -> bool:
    """Return whether somebody has written there after the message `since`, and the bot may read it."""
    if (channel.last_message_id or 0) <= since:
        return False
    permissions = channel.permissions_for(channel.guild.me)  # slow, and most channels of many servers are quiet
    return permissions.view_channel and permissions.read_message_history
