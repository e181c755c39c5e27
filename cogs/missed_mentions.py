"""Answers to mentions of the bot that came while it was away."""

from __future__ import annotations

import datetime
import logging
from collections import deque
from itertools import islice

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
        channels = (channel for guild in self.bot.guilds for channel in (*guild.text_channels, *guild.threads))
        for channel in islice(filter(lambda channel: _is_active(channel, since), channels), _MOST_CHANNELS):
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
        latest_answered = {message.author.id: message.id for message in messages if message.id in answered}
        for message in messages:
            was_answered = message.id <= latest_answered.get(message.author.id, 0)  # perhaps together with a later one
            if mentions_bot(message) and not was_answered and message.id not in self._seen:
                log.info("a mention in %s came while the bot was away", channel.id)
                self.bot.dispatch("message", message)


def _is_active(channel: discord.TextChannel | discord.Thread, since: datetime.datetime) -> bool:
    """Return whether somebody has written there since then, and the bot may read it."""
    last = channel.last_message_id
    permissions = channel.permissions_for(channel.guild.me)
    may_read = permissions.view_channel and permissions.read_message_history
    return may_read and last is not None and discord.utils.snowflake_time(last) > since
