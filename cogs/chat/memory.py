"""What was said before: the messages of Discord themselves, as they are now. Nothing is stored."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import discord

from cogs.chat.places import has_button, is_start, is_talk, names_of_me
from cogs.common.delivery import DELIVERY
from cogs.common.markdown import without_escapes
from cogs.common.persistent_view import custom_id
from cogs.common.sources import attachments, replied_to, text_of, visible, words
from inference import Message

_MOST_READ = 60
"""The most messages that are read of what was said before."""

NOTES = ("-# 🖼️ ", "-# 🎨 ")
"""Beginnings of lines in which the bot says what it saw or drew. Other small print is not remembered."""

_SMALL_PRINT = "-# "

_NOTICE = re.compile(r"<@\d+> ")
"""The beginning of a message that only tells a person that something is done; in a reply, a mention is escaped."""

_MAY_HAVE_PARTS = 1500
"""Characters of a reply from which on there may be further messages with the rest of it."""

_MOST_AFTER = 20
"""Messages after a reply among which its further parts are looked for."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The earlier messages, oldest first.

    `gap` says that one before them was deleted, or can't be read, and `more` that older ones were not read.
    """

    messages: tuple[discord.Message, ...] = ()
    gap: bool = False
    more: bool = False

    @property
    def hidden(self) -> bool:
        """Whether Discord hides the words of some of them from the bot."""
        return not all(visible(message) for message in self.messages if is_talk(message))


async def remember(turn: Sequence[discord.Message], *, whole_channel: bool) -> Memory:
    """Return what was said before the messages of a turn: in the channel, or in the chain of replies."""
    if not may_read_history(turn[0]):
        return Memory()
    return await (_channel(turn) if whole_channel else _chain(turn))


def may_read_history(message: discord.Message) -> bool:
    """Return whether the person who wrote may read what was said before."""
    person = message.author
    return not isinstance(person, discord.Member) or message.channel.permissions_for(person).read_message_history


async def _channel(turn: Sequence[discord.Message]) -> Memory:
    """Return the last messages, back to the one at which a conversation begins, and the one that is replied to.

    What other people wrote after this turn is left out: it is answered later.
    """
    me, own = _me(turn[0]), {message.id for message in turn}
    try:
        latest = [message async for message in turn[0].channel.history(limit=_MOST_READ)]
    except discord.Forbidden:  # the bot may write there, but not read back
        return Memory(gap=True)
    start = next((i for i, message in enumerate(latest) if message.author == me and is_start(message)), None)
    more = start is None and len(latest) == _MOST_READ
    found = [
        message
        for message in latest[:start]
        if message.id not in own and (message.id < turn[0].id or message.author == me)
    ]
    pointed = await replied_to(turn[-1]) if _is_reply(turn[-1]) else None
    if pointed and pointed.id not in {message.id for message in found} | own:
        found.append(pointed)
    return Memory(tuple(_in_order(reversed(found))), more=more)


def _in_order(messages: Iterable[discord.Message]) -> list[discord.Message]:
    """Put replies of the bot right after the messages that they answer."""
    answers: dict[int, list[discord.Message]] = defaultdict(list)
    asked: list[discord.Message] = []
    known: set[int] = set()
    for message in messages:
        if message.author == _me(message) and _asked(message) in known:
            answers[_asked(message)].append(message)
        else:
            asked.append(message)
            known.add(message.id)
    return [each for message in asked for each in (message, *answers[message.id])]


async def _chain(turn: Sequence[discord.Message]) -> Memory:
    found: list[discord.Message] = []
    current = next((message for message in turn if _is_reply(message)), turn[0])
    while _is_reply(current):
        if len(found) >= _MOST_READ:
            return Memory(tuple(reversed(found)), more=True)
        earlier = await replied_to(current)
        if earlier is None:
            return Memory(tuple(reversed(found)), gap=True)
        whole = await _whole(earlier)
        found += reversed(whole)
        current = whole[0]
    return Memory(tuple(reversed(found)))


async def _whole(message: discord.Message) -> list[discord.Message]:
    """Return the message, or all messages of a reply of the bot that was split."""
    is_part = message.author == _me(message) and _is_reply(message) and not message.components
    if message.author != _me(message) or not (is_part or len(message.content) > _MAY_HAVE_PARTS):
        return [message]
    if not is_part:
        return [message, *await parts_of(message)]
    first = await replied_to(message)  # the bot's own first message, or the person's
    if first and first.author == message.author:
        return [first, *await parts_of(first)]
    asked = discord.Object(_asked(message))
    try:
        after = [each async for each in message.channel.history(after=asked, limit=_MOST_AFTER)]
    except DELIVERY:
        return [message]
    return [each for each in after if each.author == message.author and _asked(each) == asked.id] or [message]


def _is_reply(message: discord.Message) -> bool:
    reference = message.reference
    return reference is not None and reference.type is discord.MessageReferenceType.reply


def by_several(found: Sequence[discord.Message]) -> bool:
    """Return whether more than one person wrote the messages."""
    return len({message.author.id for message in found if is_talk(message)}) > 1


def as_messages(
    found: Sequence[discord.Message], me: discord.abc.User, pointed_at: Container[int] = (), *, named: bool
) -> list[Message]:
    """Return the messages as a model reads them: the bot's as the assistant's, people's as a user's.

    If they are `named`, people's names stand before their words; small models talk worse with names.

    Apologies and unfinished replies of the bot are left out: a reply counts if it has the buttons of a conversation, or
    continues one that has. The words of other bots are left out. A message that is `pointed_at` always counts.
    """
    answered = {id_ for each in found if has_button(each, custom_id("chat", "")) for id_ in (_asked(each), each.id)}

    def counts(message: discord.Message) -> bool:
        if message.id in pointed_at:
            return True
        if message.author != me:
            return is_talk(message)
        is_result = bool(message.components) and not has_button(message, custom_id("cancel", ""))
        return is_result or (_asked(message) in answered and not _NOTICE.match(message.content))

    messages = (
        Message("assistant", reply_text(text_of(message)))
        if message.author == me
        else Message("user", user_text(message, me, named=named))
        for message in found
        if counts(message)
    )
    return [message for message in messages if message.content]


def _asked(message: discord.Message) -> int:
    """Return the id of the message that this one answers; that of no message for one that answers none."""
    return (message.reference and message.reference.message_id) or -message.id


def user_text(message: discord.Message, me: discord.abc.User, *, named: bool) -> str:
    """Return a person's words without the bot's name, with the names of files, and after the person's name."""
    names = [f"[{file.filename}]" for file in attachments(message)]
    text = " ".join(filter(None, [text_without_mention(message, me), *names]))
    return f"{message.author.display_name}: {text}" if text and named else text


def text_without_mention(message: discord.Message, me: discord.abc.User) -> str:
    """Return a person's words without the bot's name."""
    mentions = "|".join(map(re.escape, names_of_me(message, me)))
    return re.sub(rf"[ \t]*@(?:{mentions})(?!\w)", "", words(message)).strip(" \t\n,:")


def reply_text(content: str, *, notes: bool = True) -> str:
    """Return what the bot itself wrote in a message, without small print and escapes.

    With `notes`, what it saw and drew stands in brackets.
    """
    lines: list[str] = []
    for line in content.split("\n"):
        if not line.startswith(_SMALL_PRINT):
            lines.append(line)
        elif notes and line.startswith(NOTES):
            lines.append(f"[{line.removeprefix(_SMALL_PRINT)}]")
    return without_escapes("\n".join(lines)).strip()


def _me(message: discord.Message) -> discord.ClientUser | None:
    return message._state.user  # pyright: ignore[reportPrivateUsage]  # the client is not in a message otherwise


async def parts_of(message: discord.Message) -> list[discord.Message]:
    """Return the further messages of a reply of the bot that was split: those that answer the same message, or it."""
    answered = {_asked(message), message.id}
    try:
        after = [other async for other in message.channel.history(after=message, limit=_MOST_AFTER)]
    except DELIVERY:
        return []
    return [
        other
        for other in after
        if other.author == message.author
        and _asked(other) in answered
        and not other.components
        and not _NOTICE.match(other.content)
    ]
