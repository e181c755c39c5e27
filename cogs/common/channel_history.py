"""The past messages of a channel as one text that knows where each message stands in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate

import discord

from cogs.common.sources import visible, words
from cogs.i18n import gettext_noop, ntr, tr
from inference import InvalidRequest

_HIDDEN = gettext_noop(
    "Discord hides these messages from me. The bot's operator can change that: Message Content Intent, under Bot at "
    "https://discord.com/developers/applications. Until then, use a message's menu (Apps, Summarize), or paste a text."
)
_PAGE = 100
"""Messages that Discord hands over at once."""


@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    """What one message says, and where: `name: words` stands at `start` in its transcript's text.

    `author` is Discord's id; several people can go by one name.
    """

    author: int
    name: str
    words: str
    at: datetime
    jump_url: str
    start: int = 0

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"


@dataclass(frozen=True, slots=True)
class Transcript:
    """`Name: words`, one message after another, oldest first.

    Of `seen` messages, `silent` had no text, Discord hid the text of `hidden`, and `aside` are no talk (see `is_talk`).
    `complete` tells that nothing was left out for being too much.
    """

    text: str
    messages: tuple[TranscriptMessage, ...]
    seen: int
    without_text: int = 0
    hidden: int = 0
    not_talk: int = 0
    complete: bool = True

    @property
    def boundaries(self) -> tuple[int, ...]:
        """Where each message begins in `text`."""
        return tuple(message.start for message in self.messages)

    def message_at(self, position: int) -> TranscriptMessage:
        """The message that `text[position]` belongs to."""
        return self.messages[max(0, bisect_right(self.boundaries, position) - 1)]

    def coverage(self, parts: int = 1) -> str:
        """What was read, and why not more: `212 of 340 messages, 3 parts; 12 had no text`."""
        count = len(self.messages)
        read = ntr("{count} of {seen} message", "{count} of {seen} messages", self.seen, count=count, seen=self.seen)
        reading = [read, ntr("{parts} part", "{parts} parts", parts, parts=parts)] if parts > 1 else [read]
        return "; ".join([", ".join(reading), *self._left_out()])

    def _left_out(self) -> Iterable[str]:
        if self.without_text:
            yield ntr("{count} had no text", "{count} had no text", self.without_text, count=self.without_text)
        if self.not_talk:
            yield ntr(
                "{count} was mine, for me, or a notice of Discord",
                "{count} were mine, for me, or notices of Discord",
                self.not_talk,
                count=self.not_talk,
            )
        if self.hidden:
            yield tr(
                "Discord hides the text of {count} from bots without the message content intent", count=self.hidden
            )
        if not self.complete:
            yield tr("older ones were left out")


def check_history(interaction: discord.Interaction) -> discord.abc.MessageableChannel:
    """The channel, if both sides may read its past; raises InvalidRequest."""
    channel = interaction.channel
    if not isinstance(channel, discord.abc.Messageable):
        raise InvalidRequest("There are no messages to read here.")
    if interaction.guild_id and not interaction.permissions.read_message_history:
        raise InvalidRequest("You may not read the earlier messages of this channel, so I don't read them for you.")
    if interaction.guild_id and not interaction.app_permissions.read_message_history:
        raise InvalidRequest("I may not read the earlier messages here: I lack the Read Message History permission.")
    return channel


async def read_back(
    channel: discord.abc.Messageable,
    most: int,
    before: discord.abc.Snowflake,
    *,
    until: Callable[[discord.Message], bool] = lambda message: False,
    on_page: Callable[[int], None] = lambda count: None,
) -> tuple[list[discord.Message], bool]:
    """The messages before `before`, newest first: `most` of them, or as many as come before one that `until` names.

    Also whether that one was met. `on_page` gets how many there are so far, after each page. Raises InvalidRequest.
    """
    messages: list[discord.Message] = []
    try:
        async for message in channel.history(limit=most, before=before):
            if until(message):
                return messages, True
            messages.append(message)
            if len(messages) % _PAGE == 0:
                on_page(len(messages))
    except discord.Forbidden as error:
        raise InvalidRequest("I can't read this channel. Ask a moderator to add me to the server.") from error
    return messages, False


def is_talk(message: discord.Message, me: discord.ClientUser | None) -> bool:
    """Whether it is what people say to each other: not the bot's own, not a call of the bot, no notice of Discord."""
    message = _original(message)
    called = me is not None and message.content.startswith((f"<@{me.id}>", f"<@!{me.id}>"))
    return message.author != me and not called and not message.is_system()


def is_read(message: discord.Message, me: discord.ClientUser | None) -> bool:
    """Whether it is talk with words in it, or with words that Discord may hide."""
    original = _original(message)
    return is_talk(message, me) and bool(words(original).strip() or not visible(original))


def transcribe(
    messages: list[discord.Message],
    me: discord.ClientUser | None,
    *,
    longest: int | None = None,
    complete: bool = True,
) -> Transcript:
    """The text of `messages`, which come newest first, in at most `longest` characters: the oldest are left out.

    Raises InvalidRequest if there is no text at all.
    """
    others = [_original(message) for message in messages if is_talk(message, me)]
    spoken = [said for said in map(_said, others) if said.words]
    recent = _recent(spoken, longest)
    hidden = sum(not visible(message) for message in others)
    if not recent:
        raise InvalidRequest(_HIDDEN if hidden else "There are no messages with words to read there.")
    return Transcript(
        text="\n".join(map(str, recent)),
        messages=_placed(recent),
        seen=len(messages),
        without_text=len(others) - len(spoken) - hidden,
        hidden=hidden,
        not_talk=len(messages) - len(others),
        complete=complete and len(recent) == len(spoken),
    )


def _said(message: discord.Message) -> TranscriptMessage:
    author = message.author
    return TranscriptMessage(
        author.id, author.display_name, words(message).strip(), message.created_at, message.jump_url
    )


def _recent(spoken: list[TranscriptMessage], longest: int | None) -> list[TranscriptMessage]:
    """As many of `spoken`, newest first, as fit into `longest` characters, a line each; oldest first."""
    ends = accumulate(len(str(said)) + 1 for said in spoken)
    fitting = [said for said, end in zip(spoken, ends, strict=True) if longest is None or end - 1 <= longest]
    return fitting[::-1]


def _placed(said: list[TranscriptMessage]) -> tuple[TranscriptMessage, ...]:
    starts = accumulate((len(str(message)) + 1 for message in said), initial=0)
    return tuple(replace(message, start=start) for message, start in zip(said, starts, strict=False))


def _original(message: discord.Message) -> discord.Message:
    """The message itself; of one that only marks the start of a thread, the message that the thread grew from."""
    if message.type is discord.MessageType.thread_starter_message and message.reference:
        resolved = message.reference.resolved
        return resolved if isinstance(resolved, discord.Message) else message
    return message
