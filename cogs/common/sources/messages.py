"""Messages that people point at: what they say, forward, embed and carry."""

from __future__ import annotations

import discord

from cogs.common.reply_session import ReplySession
from cogs.common.sources.files import check_files, name_of, text_of_file
from cogs.common.sources.source import Source, join_sources
from inference import InvalidRequest

_PICTURES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic")
_TEXTS = (".txt", ".md", ".markdown", ".rst", ".csv", ".tsv", ".log", ".json", ".yaml", ".yml")
_DOCUMENTS = (*_TEXTS, ".pdf", ".docx", ".html", ".htm", ".xhtml")

HOW_TO_POINT = (
    "Discord does not show me that message. Open its menu instead (right-click, or a long press on a phone), "
    "then choose Apps."
)


async def text_of_message(session: ReplySession, message: discord.Message) -> str:
    """What a message says: its own words, those it forwards or embeds, and its documents."""
    return join_sources(await sources_of_message(session, message)).text


async def sources_of_message(session: ReplySession, message: discord.Message) -> list[Source]:
    """The words of a message and of what it forwards or embeds, then its documents; acknowledges for those.

    Raises InvalidRequest where there is nothing to read.
    """
    link, files = message.jump_url, documents(message)
    check_files(session, files)
    texts = [Source(await text_of_file(session, file), (f"{name_of(file)} ({link})",)) for file in files]
    sources = [Source(words(message), (link,)), *texts]
    if not any(source.text.strip() for source in sources):
        raise _wordless(message)
    return sources


def words(message: discord.Message) -> str:
    """The text of a message, as people see it, of what it forwards, of its embeds and its poll."""
    sources: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    contents = [message.clean_content, *(snapshot.content for snapshot in message.message_snapshots)]
    embeds = [part for source in sources for embed in source.embeds for part in _words_of_embed(embed)]
    poll = [message.poll.question, *(answer.text for answer in message.poll.answers)] if message.poll else []
    return "\n".join(part for part in (*contents, *embeds, *poll) if part)


def _words_of_embed(embed: discord.Embed) -> list[str | None]:
    """In the order in which Discord shows them."""
    fields = (part for field in embed.fields for part in (field.name, field.value))
    return [embed.author.name, embed.title, embed.description, *fields]


def visible(message: discord.Message) -> bool:
    """Whether Discord shows what is in the message: without the message content intent, all of it is left out."""
    sources: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    parts = (part for each in sources for part in (each.content, each.embeds, each.attachments, each.components))
    return any(parts) or message.poll is not None or any(each.stickers for each in sources)


def attachments(message: discord.Message) -> list[discord.Attachment]:
    """The files of a message and of what it forwards."""
    return [*message.attachments, *(file for snapshot in message.message_snapshots for file in snapshot.attachments)]


def documents(message: discord.Message) -> list[discord.Attachment]:
    """Those whose names promise a text."""
    return [file for file in attachments(message) if file.filename.lower().endswith(_DOCUMENTS)]


def pictures(message: discord.Message) -> list[discord.Attachment]:
    """Those that look like pictures; whether they are shows when they are decoded."""
    return [file for file in attachments(message) if _looks_like_picture(file)]


async def pointed_at(message: discord.Message) -> discord.Message | None:
    """The message that `message` replies to, None if it is no reply."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    target = reference.resolved
    if isinstance(target, discord.Message) and visible(target):
        return target
    return await fetch_message(message.channel, reference.message_id)


async def fetch_message(channel: discord.abc.Messageable, message_id: int) -> discord.Message:
    """A message that Discord shows the bot; raises InvalidRequest with what to do instead."""
    try:
        message = await channel.fetch_message(message_id)
    except discord.NotFound as error:
        raise InvalidRequest("That message has been deleted.") from error
    except discord.Forbidden as error:
        raise InvalidRequest(HOW_TO_POINT) from error
    if not visible(message):
        raise InvalidRequest(HOW_TO_POINT)
    return message


def _wordless(message: discord.Message) -> InvalidRequest:
    """Why there is nothing to read in it."""
    if message.flags.voice or any(snapshot.flags.voice for snapshot in message.message_snapshots):
        return InvalidRequest("That is a voice message, and I can't listen. Ask who sent it to write it down.")
    if pictures(message):
        return InvalidRequest(
            "That message has pictures but no words. To have them described, choose Caption image in its menu, "
            "under Apps."
        )
    if message.stickers:
        return InvalidRequest("That message is a sticker, without words to read.")
    return InvalidRequest("That message has no words to read.")


def _looks_like_picture(file: discord.Attachment) -> bool:
    return (file.content_type or "").startswith("image/") or file.filename.lower().endswith(_PICTURES)
