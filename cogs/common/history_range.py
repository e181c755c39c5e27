"""Ranges of a channel's messages, and how to read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import discord
from discord import app_commands

from cogs.common.channel_history import Transcript, check_history, is_read, is_talk, read_back, transcribe
from cogs.common.message_content import MessageContent
from cogs.common.reply_session import ReplySession
from cogs.common.sources import is_link, linked_message, readable_channel
from cogs.i18n import gettext_noop, ntr, tr
from inference import InvalidRequest, Phrase

_MINE = gettext_noop("my last message")
_PAUSE = 1.5
"""Seconds between two edits that show the number of messages."""


@dataclass(frozen=True, slots=True)
class HistoryRange:
    """The last `messages`, or those since `since` (a link, or "my last message"), of a channel (None: the current one).

    The bot's own messages and calls of the bot don't count: neither among the last messages nor as "my last message".
    """

    messages: int | None = None
    since: str | None = None
    channel_id: int | None = None

    @property
    def wanted(self) -> bool:
        """Whether any option is set."""
        return any(option is not None for option in (self.messages, self.since, self.channel_id))

    @property
    def mine(self) -> bool:
        """Whether the range begins after the last message of the person who asks."""
        return self.since is not None and self.since.strip().lower() in (_MINE, tr(_MINE).lower())


async def since_choices(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer "my last message", the only value that is not a link."""
    name = tr(_MINE)
    return [app_commands.Choice(name=name, value=_MINE)] if typed.lower() in name.lower() else []


async def read_history(
    session: ReplySession, interaction: discord.Interaction, history_range: HistoryRange
) -> tuple[discord.abc.MessageableChannel, Transcript]:
    """Return the channel and its transcript; show the number of messages while reading.

    Acknowledge once all checks that need no request to Discord have passed. Raise InvalidRequest.
    """
    limits, me = session.limits, interaction.client.user
    _check(history_range, limits.messages)
    channel, first = await _resolve_channel(session, interaction, history_range)
    _show_count(session, 0)
    messages, reached = await session.wait(
        read_back(
            channel,
            limits.messages,
            discord.Object(interaction.id),
            until=_end_test(history_range, me, interaction.user, first),
            on_page=lambda count: _show_count(session, count),
        )
    )
    if history_range.mine:
        _check_mine(len(messages), reached, any(is_talk(message, me) for message in messages))
    exhausted = not reached and len(messages) < limits.messages
    complete = reached or exhausted or history_range.messages is not None
    asked = history_range.messages or 0
    longest = limits.text_characters
    return channel, transcribe(messages, me, longest=longest, complete=complete, asked=asked, exhausted=exhausted)


def _check(history_range: HistoryRange, limit: int) -> None:
    if history_range.messages is not None and history_range.since is not None:
        raise InvalidRequest("Give either `messages` or `since`, since both say how far back to read.")
    if history_range.since is not None and not history_range.mine and not is_link(history_range.since):
        raise InvalidRequest(
            "`since` takes the link of a message (Copy Message Link in its menu), or `{mine}`. "
            "To say how many messages, use `messages`.",
            mine=Phrase(_MINE),
        )
    if history_range.messages is not None and history_range.messages > limit:
        raise InvalidRequest("This bot reads {most} messages at most. Ask for fewer.", most=limit)


async def _resolve_channel(
    session: ReplySession, interaction: discord.Interaction, history_range: HistoryRange
) -> tuple[discord.abc.MessageableChannel, discord.Message | None]:
    """Return the channel, if both sides may read it, and the message that a link in `since` points to."""
    if history_range.since is not None and not history_range.mine:
        first = await linked_message(session, interaction, history_range.since)
        if history_range.channel_id not in (None, first.channel.id):
            raise InvalidRequest("That message is not in the channel you chose. Leave one of the two out.")
        return first.channel, first
    if history_range.channel_id is not None:
        return await readable_channel(session, interaction, history_range.channel_id), None
    channel = check_history(interaction)
    await session.acknowledge()
    return channel, None


def _end_test(
    history_range: HistoryRange, me: discord.ClientUser | None, asker: discord.abc.User, first: discord.Message | None
) -> Callable[[discord.Message], bool]:
    """Return a test for the message before which the range begins."""
    if first is not None:
        return lambda message: message.id < first.id
    if history_range.mine:
        return lambda message: message.author.id == asker.id and is_talk(message, me)
    if history_range.messages is not None:
        return _past_count(history_range.messages, me)
    return lambda message: False


def _past_count(count: int, me: discord.ClientUser | None) -> Callable[[discord.Message], bool]:
    """Return a test for the message after `count` readable ones; call it for each message in order."""
    left = count

    def is_past_count(message: discord.Message) -> bool:
        nonlocal left
        if left == 0:
            return True
        left -= is_read(message, me)
        return False

    return is_past_count


def _check_mine(count: int, reached: bool, talked: bool) -> None:
    if not reached:
        raise InvalidRequest(
            "None of the last {count} messages there is yours. Say how far back to read with `messages`, or with a "
            "message's link in `since`.",
            count=count,
        )
    if not talked:
        raise InvalidRequest("Nothing has been written since your last message.")


def _show_count(session: ReplySession, count: int) -> None:
    session.show_progress(
        MessageContent(ntr("Reading… {count} message", "Reading… {count} messages", count, count=count)), _PAUSE
    )
