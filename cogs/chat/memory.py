"""What was said before: the messages of Discord themselves, as they are now. Nothing is stored."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import discord

from cogs.chat.places import has_button, is_start, is_talk, names_of_me
from cogs.common.delivery import DELIVERY
from cogs.common.markdown import without_escapes
from cogs.common.persistent_view import custom_id
from cogs.common.sources import attachments, replied_to, visible, words
from inference import Message

_MOST_REMEMBERED = 60
"""The most messages that are read; a model's window has room for fewer of most."""

SEEN = "-# 🖼️ "
"""The beginning of a line in which the bot says what it saw in a picture; other small print is not remembered."""

_SMALL_PRINT = "-# "
_NOTICE = re.compile(r"<@\d+> ")
"""The beginning of a message that only tells a person that something is done; in a reply, a mention is escaped."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The earlier messages, oldest first. `gap` says that one before them was deleted, or can't be read."""

    messages: tuple[discord.Message, ...] = ()
    gap: bool = False

    @property
    def hidden(self) -> bool:
        """Whether Discord hides the words of some of them from the bot."""
        return not all(map(visible, self.messages))


async def remember(turn: Sequence[discord.Message], *, whole_channel: bool) -> Memory:
    """Return what was said before the messages of a turn: in the channel, or in the chain of replies."""
    if whole_channel:
        return Memory(await _channel(turn[0]))
    return await _chain(turn)


async def _channel(message: discord.Message) -> tuple[discord.Message, ...]:
    """Return the last messages before this one, back to the one at which a conversation begins."""
    found: list[discord.Message] = []
    async for earlier in _before(message):
        if earlier.author == _me(message) and is_start(earlier):
            break
        found.append(earlier)
    return tuple(reversed(found))


def _before(message: discord.Message) -> AsyncIterator[discord.Message]:
    return message.channel.history(limit=_MOST_REMEMBERED, before=message)


async def _chain(turn: Sequence[discord.Message]) -> Memory:
    found: list[discord.Message] = []
    current = next((message for message in turn if _is_reply(message)), turn[0])
    while _is_reply(current) and len(found) < _MOST_REMEMBERED:
        earlier = await replied_to(current)
        if earlier is None:
            return Memory(tuple(reversed(found)), gap=True)
        found.append(earlier)
        current = earlier
    return Memory(tuple(reversed(found)))


def _is_reply(message: discord.Message) -> bool:
    reference = message.reference
    return reference is not None and reference.type is discord.MessageReferenceType.reply


def as_messages(found: Sequence[discord.Message], me: discord.abc.User) -> list[Message]:
    """Return the messages as a model reads them: the bot's as the assistant's, people's as a user's.

    Only if several people wrote them, their names stand before: small models talk worse with names.
    """
    named = by_several(found)
    messages = (_as_message(message, me, named=named) for message in found)
    return [message for message in messages if message and message.content]


def by_several(found: Sequence[discord.Message]) -> bool:
    """Return whether more than one person wrote the messages."""
    return len({message.author.id for message in found if is_talk(message)}) > 1


def _as_message(message: discord.Message, me: discord.abc.User, *, named: bool) -> Message | None:
    if message.author == me:
        is_talking = not has_button(message, custom_id("cancel", "")) and not _NOTICE.match(message.content)
        return Message("assistant", spoken(message.content)) if is_talking else None
    return Message("user", said_by(message, me, named=named)) if is_talk(message) else None


def said_by(message: discord.Message, me: discord.abc.User, *, named: bool) -> str:
    """Return a person's words without the bot's name, with the names of files, and after the person's name."""
    names = [f"[{file.filename}]" for file in attachments(message)]
    text = " ".join(filter(None, [words_to_me(message, me), *names]))
    return f"{message.author.display_name}: {text}" if text and named else text


def words_to_me(message: discord.Message, me: discord.abc.User) -> str:
    """Return a person's words without the bot's name."""
    mentions = "|".join(map(re.escape, names_of_me(message, me)))
    return re.sub(rf"[ \t]*@(?:{mentions})(?!\w)", "", words(message)).strip(" \t\n,:")


def spoken(content: str) -> str:
    """Return what the bot itself wrote in a message, without small print and escapes."""
    lines = (f"[{line.removeprefix(SEEN)}]" if line.startswith(SEEN) else line for line in content.split("\n"))
    return without_escapes("\n".join(line for line in lines if not line.startswith(_SMALL_PRINT))).strip()


def _me(message: discord.Message) -> discord.ClientUser | None:
    return message._state.user  # pyright: ignore[reportPrivateUsage]  # the client is not in a message otherwise


async def parts_of(message: discord.Message) -> list[discord.Message]:
    """Return the further messages of an answer that was split: those by the bot that answer the same message."""
    asked = message.reference and message.reference.message_id
    try:
        after = [other async for other in message.channel.history(after=message, limit=20)]
    except DELIVERY:
        return []
    return [
        other
        for other in after
        if other.author == message.author
        and asked is not None
        and other.reference
        and other.reference.message_id == asked
        and not other.components
    ]
