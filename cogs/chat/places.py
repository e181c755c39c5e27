"""Where the bot talks: mentions, replies to it, direct messages, and threads that it opened or was asked to join."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import discord

from cogs.common.delivery import DELIVERY
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.common.sources import visible
from cogs.i18n import tr

_START = custom_id("chat", "start")
"""The id of a disabled button: the message that has it begins a conversation, and nothing before it is remembered."""

_MOST_SEARCHED = 100
"""The last messages of a thread among which a start is looked for."""

_TALK = (discord.MessageType.default, discord.MessageType.reply)


def start_view() -> discord.ui.View:
    """Return the view of a message that begins a conversation."""
    return persistent_view(Button(label=tr("A new conversation begins here"), custom_id=_START, disabled=True))


def is_start(message: discord.Message) -> bool:
    """Return whether a conversation begins at this message, which must be by the bot."""
    return has_button(message, _START)


def has_button(message: discord.Message, beginning: str) -> bool:
    """Return whether a button of the message has an id that begins so."""
    rows = (row for row in message.components if isinstance(row, discord.ActionRow))
    return any(str(getattr(button, "custom_id", "")).startswith(beginning) for row in rows for button in row.children)


def is_talk(message: discord.Message) -> bool:
    """Return whether a person wrote the message: no bot, no webhook, and no notice of Discord."""
    return not message.author.bot and message.webhook_id is None and message.type in _TALK


class Places:
    """Finds out whether a message is for the bot. It remembers which threads it was asked to join."""

    def __init__(self, me: Callable[[], discord.abc.User | None]) -> None:
        self._me = me
        self._joined: dict[int, bool] = {}
        """By thread: whether a conversation was begun there."""

    async def is_for_me(self, message: discord.Message) -> bool:
        """Return whether this message of a person is for the bot."""
        if not visible(message):
            return False
        me = self._me()
        reply = message.reference and message.reference.resolved
        to_me = isinstance(reply, discord.Message) and reply.author == me
        return to_me or me in message.mentions or await self.is_conversation(message.channel)

    async def is_conversation(self, channel: discord.abc.MessageableChannel) -> bool:
        """Return whether all of the channel is one conversation with the bot."""
        if not isinstance(channel, discord.Thread):
            return isinstance(channel, discord.DMChannel)
        if channel.owner_id == getattr(self._me(), "id", None) or self._joined.get(channel.id):
            return True
        if channel.me is None:
            return False
        if channel.id not in self._joined:
            self._joined.setdefault(channel.id, await self._was_begun(channel))
        return self._joined[channel.id]

    def join(self, thread: discord.Thread) -> None:
        """Note that a conversation begins in this thread."""
        self._joined[thread.id] = True

    async def _was_begun(self, thread: discord.Thread) -> bool:
        try:
            return any([message.author == self._me() and is_start(message) async for message in _latest(thread)])
        except DELIVERY:
            return False


def _latest(thread: discord.Thread) -> discord.abc.AsyncIterator[discord.Message]:
    return thread.history(limit=_MOST_SEARCHED)


def may_write(message: discord.Message) -> bool:
    """Return whether the bot may write where the message is."""
    if message.guild is None:
        return True
    allowed = message.channel.permissions_for(message.guild.me)
    return allowed.send_messages_in_threads if isinstance(message.channel, discord.Thread) else allowed.send_messages


def names_of_me(message: discord.Message, me: discord.abc.User) -> Sequence[str]:
    """Return how mentions of the bot read in the text of a message: its names there, and that of its role."""
    guild = message.guild
    if guild is None:
        return [me.display_name]
    return [guild.me.display_name, *([guild.self_role.name] if guild.self_role else [])]
