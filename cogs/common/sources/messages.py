"""Messages that people choose: their text, forwards, embeds and attachments."""

from __future__ import annotations

import discord

from cogs.common.reply_session import ReplySession
from cogs.common.sources.components import files_in_galleries, texts_of_components
from cogs.common.sources.files import check_files, name_of, source_of_file
from cogs.common.sources.markup import in_words, names_for_mentions
from cogs.common.sources.source import Source, join_sources
from inference import InvalidRequest, is_document_name

_PICTURES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic")

HOW_TO_POINT = (
    "Discord does not show me that message. Open its menu instead (right-click, or a long press on a phone), "
    "then choose Apps."
)


async def text_of_message(session: ReplySession, message: discord.Message) -> str:
    """Return the text of a message, of its forwards and embeds, and of its documents."""
    return join_sources(await sources_of_message(session, message)).text


async def sources_of_message(session: ReplySession, message: discord.Message) -> list[Source]:
    """Return the text of a message with its forwards and embeds, then its documents; acknowledge if there are any.

    Raise InvalidRequest if there is nothing to read.
    """
    link, files = message.jump_url, documents(message)
    check_files(session, files)
    texts = [await source_of_file(session, file, f"{name_of(file)} ({link})") for file in files]
    sources = [Source(words(message), (link,), text_source="chosen"), *texts]
    if not any(source.text.strip() for source in sources):
        raise _no_text_error(message)
    return sources


def words(message: discord.Message) -> str:
    """Return the visible text of a message, of its forwards, its embeds, its text components and its poll."""
    sources: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    contents = [message.clean_content, *(snapshot.content for snapshot in message.message_snapshots)]
    embeds = [part for source in sources for embed in source.embeds for part in _words_of_embed(embed)]
    components = [part for source in sources for part in texts_of_components(source.components)]
    poll = [message.poll.question, *(answer.text for answer in message.poll.answers)] if message.poll else []
    text = "\n".join(part for part in (*contents, *embeds, *components, *poll) if part)
    return in_words(names_for_mentions(text, message))


def _words_of_embed(embed: discord.Embed) -> list[str | None]:
    """Return an embed's texts in the order in which Discord shows them."""
    if embed.type == "poll_result":
        values = {field.name: field.value for field in embed.fields}
        return [values.get("poll_question_text"), values.get("victor_answer_text")]
    fields = (part for field in embed.fields for part in (field.name, field.value))
    return [embed.author.name, embed.title, embed.description, *fields, embed.footer.text]


def visible(message: discord.Message) -> bool:
    """Return whether Discord shows the content; it hides all of it from bots without the message content intent."""
    sources: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    parts = (part for each in sources for part in (each.content, each.embeds, each.attachments, each.components))
    return any(parts) or message.poll is not None or any(each.stickers for each in sources)


def attachments(message: discord.Message) -> list[discord.Attachment]:
    """Return the files of a message and of its forwards, also those that are shown in a gallery only."""
    sources: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    listed = [file for source in sources for file in source.attachments]
    shown = [file for source in sources for file in files_in_galleries(source)]
    return list({file.id: file for file in (*shown, *listed)}.values())


def documents(message: discord.Message) -> list[discord.Attachment]:
    """Return the files that are documents, by their names or by what Discord says about them."""
    return [file for file in attachments(message) if _looks_like_document(file)]


def pictures(message: discord.Message) -> list[discord.Attachment]:
    """Return the files that look like pictures; decoding shows whether they are."""
    return [file for file in attachments(message) if _looks_like_picture(file)]


async def pointed_at(message: discord.Message) -> discord.Message | None:
    """Return the message that `message` replies to, or None if it is no reply."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    target = reference.resolved
    if isinstance(target, discord.Message) and visible(target):
        return target
    return await fetch_message(message.channel, reference.message_id)


async def replied_to(message: discord.Message) -> discord.Message | None:
    """Return the message replied to; None if there is none, or it is deleted or hidden."""
    reference = message.reference
    if reference is None or reference.message_id is None or reference.type is not discord.MessageReferenceType.reply:
        return None
    if (known := reference.cached_message) and visible(known):
        return known
    try:  # what came with the reply may be edited or deleted since, and Discord may show here what it hides in events
        return await message.channel.fetch_message(reference.message_id)
    except (discord.NotFound, discord.Forbidden):
        return None


async def fetch_message(channel: discord.abc.Messageable, message_id: int) -> discord.Message:
    """Return a message that the bot can see; raise InvalidRequest, which says what to do instead."""
    try:
        message = await channel.fetch_message(message_id)
    except discord.NotFound as error:
        raise InvalidRequest("That message has been deleted.") from error
    except discord.Forbidden as error:
        raise InvalidRequest(HOW_TO_POINT) from error
    if not visible(message):
        raise InvalidRequest(HOW_TO_POINT)
    return message


def _no_text_error(message: discord.Message) -> InvalidRequest:
    """Return an error that says why the message has nothing to read."""
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


def _looks_like_document(file: discord.Attachment) -> bool:
    return is_document_name(file.filename) or (file.content_type or "").startswith("text/")


def _looks_like_picture(file: discord.Attachment) -> bool:
    return (file.content_type or "").startswith("image/") or file.filename.lower().endswith(_PICTURES)
