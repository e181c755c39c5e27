"""Transcripts of a channel's past messages, with the position of each message."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate

import discord

from cogs.common.calls import text_after_name
from cogs.common.sources import visible, words
from cogs.i18n import gettext_noop, ntr, tr
from inference import InvalidRequest, serializable

_HIDDEN = gettext_noop(
    "Discord hides these messages from me. The bot's operator can change that: Message Content Intent, under Bot at "
    "https://discord.com/developers/applications. Until then, use a message's menu (Apps, Summarize), or paste a text."
)
_PAGE_SIZE = 100
"""Messages that Discord returns in one response."""


@serializable
@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    """The text of one message; `name: words` begins at `start` in the transcript's text.

    `author` is a Discord id, since several people can have the same name.
    """

    author: int
    name: str
    words: str
    at: datetime
    jump_url: str
    start: int = 0

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"


@serializable
@dataclass(frozen=True, slots=True)
class Transcript:
    """A text of `Name: words` lines, one for each message, oldest first.

    Of `seen` messages, `without_text` had no text, Discord hid the text of `hidden`, and `not_talk` are not part of the
    conversation (see `is_talk`). `complete` is false if older messages were left out because of a limit. `asked` is the
    number of messages that was asked for, if any, and `exhausted` says that the channel has no older ones.
    """

    text: str
    messages: tuple[TranscriptMessage, ...]
    seen: int
    without_text: int = 0
    hidden: int = 0
    not_talk: int = 0
    complete: bool = True
    asked: int = 0
    exhausted: bool = False

    @property
    def boundaries(self) -> tuple[int, ...]:
        """The position in `text` at which each message begins."""
        return tuple(message.start for message in self.messages)

    def message_at(self, position: int) -> TranscriptMessage:
        """Return the message that `text[position]` belongs to."""
        return self.messages[max(0, bisect_right(self.boundaries, position) - 1)]

    def coverage(self, parts: int = 1) -> str:
        """Say how much was read, and what was left out: `212 messages read, 3 parts; 12 more skipped: no text`."""
        read = self._read()
        reading = [read, ntr("{parts} part", "{parts} parts", parts, parts=parts)] if parts > 1 else [read]
        return "; ".join([", ".join(reading), *self._left_out()])

    def _read(self) -> str:
        count, asked = len(self.messages), self.asked
        if count + self.hidden >= asked:
            return ntr("{count} message read", "{count} messages read", count, count=count)
        if self.exhausted and self.complete and not self.hidden:
            return ntr(
                "{count} message read, though you asked for {asked}: there are no more",
                "{count} messages read, though you asked for {asked}: there are no more",
                count,
                count=count,
                asked=asked,
            )
        return ntr(
            "{count} message read of the {asked} that you asked for",
            "{count} messages read of the {asked} that you asked for",
            count,
            count=count,
            asked=asked,
        )

    def _left_out(self) -> Iterable[str]:
        if self.without_text:
            yield ntr(
                "{count} more skipped: no text",
                "{count} more skipped: no text",
                self.without_text,
                count=self.without_text,
            )
        if self.not_talk:
            yield ntr(
                "{count} more skipped: by me, to me, or a system message of Discord",
                "{count} more skipped: by me, to me, or system messages of Discord",
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
    """Return the channel if both the person and the bot may read its history; else raise InvalidRequest."""
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
    limit: int,
    before: discord.abc.Snowflake,
    *,
    until: Callable[[discord.Message], bool] = lambda message: False,
    on_page: Callable[[int], None] = lambda count: None,
) -> tuple[list[discord.Message], bool]:
    """Return up to `limit` messages before `before`, newest first, and whether `until` ended the list.

    The list ends before the first message for which `until` is true. After each page, `on_page` gets the number of
    messages so far. Raise InvalidRequest if the bot can't read the channel.
    """
    messages: list[discord.Message] = []
    try:
        async for message in channel.history(limit=limit, before=before):
            if until(message):
                return messages, True
            messages.append(message)
            if len(messages) % _PAGE_SIZE == 0:
                on_page(len(messages))
    except discord.Forbidden as error:
        raise InvalidRequest("I can't read this channel. Ask a moderator to add me to the server.") from error
    return messages, False


def is_talk(message: discord.Message, me: discord.ClientUser | None) -> bool:
    """Return whether the message is conversation: not by the bot, not a call of the bot, not a system message."""
    message = _original(message)
    return message.author != me and text_after_name(message) is None and not message.is_system()


def is_read(message: discord.Message, me: discord.ClientUser | None) -> bool:
    """Return whether the message is conversation and has text, or has text that Discord may hide."""
    original = _original(message)
    return is_talk(message, me) and bool(words(original).strip() or not visible(original))


def transcribe(
    messages: list[discord.Message],
    me: discord.ClientUser | None,
    *,
    longest: int | None = None,
    complete: bool = True,
    asked: int = 0,
    exhausted: bool = False,
) -> Transcript:
    """Return a transcript of `messages`, which come newest first, without the oldest ones beyond `longest` characters.

    `complete`, `asked` and `exhausted` are those of `Transcript`.
    Raise InvalidRequest if there is no text at all.
    """
    talk = [_original(message) for message in messages if is_talk(message, me)]
    with_text = [message for message in map(_transcript_message, talk) if message.words]
    included = _newest_within(with_text, longest)
    hidden = sum(not visible(message) for message in talk)
    if not included:
        raise InvalidRequest(_HIDDEN if hidden else "There are no messages with words to read there.")
    return Transcript(
        text="\n".join(map(str, included)),
        messages=_with_starts(included),
        seen=len(messages),
        without_text=len(talk) - len(with_text) - hidden,
        hidden=hidden,
        not_talk=len(messages) - len(talk),
        complete=complete and len(included) == len(with_text),
        asked=asked,
        exhausted=exhausted,
    )


def _transcript_message(message: discord.Message) -> TranscriptMessage:
    author = message.author
    return TranscriptMessage(
        author.id, author.display_name, words(message).strip(), message.created_at, message.jump_url
    )


def _newest_within(messages: list[TranscriptMessage], longest: int | None) -> list[TranscriptMessage]:
    """Return, oldest first, the newest messages that fit into `longest` characters; `messages` are newest first."""
    ends = accumulate(len(str(message)) + 1 for message in messages)
    fitting = [message for message, end in zip(messages, ends, strict=True) if longest is None or end - 1 <= longest]
    return fitting[::-1]


def _with_starts(messages: list[TranscriptMessage]) -> tuple[TranscriptMessage, ...]:
    starts = accumulate((len(str(message)) + 1 for message in messages), initial=0)
    return tuple(replace(message, start=start) for message, start in zip(messages, starts, strict=False))


def _original(message: discord.Message) -> discord.Message:
    """Return the message itself, or the first message of the thread if this one only marks its start."""
    if message.type is discord.MessageType.thread_starter_message and message.reference:
        resolved = message.reference.resolved
        return resolved if isinstance(resolved, discord.Message) else message
    return message
