"""Reading one turn of a conversation: what was said before, what is shown, and where that is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import discord

from cogs.chat.memory import as_messages, by_several, may_read_history, remember, text_without_mention, user_text
from cogs.chat.places import is_talk
from cogs.chat.service import ChatJob
from cogs.chat.tools import ToolRules, tools_of
from cogs.client import Inkling
from cogs.common import ReplySession
from cogs.common.error_messages import in_current_language
from cogs.common.sources import (
    NamedFile,
    Source,
    attachments,
    check_files,
    check_size,
    documents,
    fetch_message,
    join_sources,
    links_in,
    pictures,
    read,
    source_of_file,
    sources_of_message,
)
from cogs.i18n import tr
from cogs.imagine.preparation import for_channel
from inference import ChatRequest, Engine, ImagineRequest, InvalidRequest, Message, refuse_words

_MOST_PICTURES = 4
"""The most pictures of one turn that are looked at."""

_LONGEST_REPLY = 512
"""The most tokens of a reply; Continue below it adds more."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The messages of one person that are answered together, oldest first.

    With `whole_channel`, everything before them in the channel belongs to the conversation.
    """

    messages: tuple[discord.Message, ...]
    whole_channel: bool


def has_chat_model(engine: Engine) -> bool:
    """Return whether a model to talk with is configured."""
    return bool(engine.models("chat"))


async def read_turn(bot: Inkling, session: ReplySession, turn: Turn, prefill: str = "") -> ChatJob:
    """Read what was said and shown, and return the job that replies; `prefill` is the reply so far.

    Acknowledge if files have to be read. Raise InvalidRequest.
    """
    me, last = bot.user, turn.messages[-1]
    assert me is not None, "the bot is logged in"
    memory = await remember(turn.messages, whole_channel=turn.whole_channel)
    pointed_at = {message.reference.message_id for message in turn.messages if message.reference}
    shown = [*(message for message in memory.messages if message.id in pointed_at), *turn.messages]
    question = "\n".join(filter(None, (text_without_mention(message, me) for message in turn.messages)))
    named = by_several([*memory.messages, *turn.messages])
    asked = "\n".join(filter(None, (user_text(message, me, named=named) for message in turn.messages)))
    if not asked:
        raise InvalidRequest("There are no words in your message that I can read. Write something to me.")
    words = bot.config.safety.words
    before = [each for each in as_messages(memory.messages, me, pointed_at, named=named) if _is_allowed(each, words)]
    messages = (*before, Message("user", asked))
    rules = ToolRules(for_channel(ImagineRequest(prompt=""), last.channel, bot.config), may_read_history(last))
    request = ChatRequest(
        messages=messages,
        prefill=prefill,
        max_new_tokens=_LONGEST_REPLY,
        tools=tools_of(bot.engine, rules),
        owner=str(session.owner),
    )
    checked = session.check(request)
    system = system_message(bot, last, checked.spec.system, named=named)
    checked = session.check(replace(request, system=system, model=checked.spec.name))
    notes = [tr("An earlier message is gone, so I know nothing from before it.")] if memory.gap else []
    notes += [tr("I read only the last messages of this conversation.")] if memory.more else []
    notes += [tr("Discord hides some of the earlier messages from me.")] if memory.hidden else []
    source, about_files, file_notes = await _read_files(session, turn, memory.messages, shown)
    looked_at = [picture for message in shown for picture in pictures(message)]
    if looked_at:
        for picture in looked_at[:_MOST_PICTURES]:
            check_size(picture, session.limits.upload)
        await session.acknowledge()
    return ChatJob(
        checked,
        question,
        rules,
        tuple([NamedFile(each.filename, await read(each)) for each in looked_at[:_MOST_PICTURES]]),
        source,
        about_files,
        (*notes, *file_notes, *_notes_about(turn, len(looked_at))),
    )


def system_message(bot: Inkling, message: discord.Message, of_model: str = "", *, named: bool = False) -> str:
    """Return who the bot is, and where and when it talks: the persona of the place, or what config.yaml says.

    `named` says that names stand before the messages.
    """
    assert bot.user is not None, "the bot is logged in"
    guild, channel = message.guild, message.channel
    name = guild.me.display_name if guild else bot.user.display_name
    parent = channel.parent_id if isinstance(channel, discord.Thread) else None
    persona = bot.store.settings.server(guild.id if guild else None).persona_in(channel.id, parent)
    day = discord.utils.utcnow()
    lines = [f"You are {name}. {persona or of_model}".strip(), f"Today is {day:%A}, {day.day} {day:%B} {day.year}."]
    if guild:
        lines.append(f"You are in the channel {getattr(channel, 'name', '')} of the server {guild.name}.")
    if named:
        lines.append("Each message begins with the name of the person who wrote it; begin yours without a name.")
    return "\n".join(lines)


def _is_allowed(message: Message, words: Sequence[str]) -> bool:
    """Return whether a message has none of the operator's listed words: a refused one must not come back as memory."""
    try:
        refuse_words([message.content], words)
    except InvalidRequest:
        return False
    return True


async def _read_files(
    session: ReplySession, turn: Turn, before: Sequence[discord.Message], shown: Sequence[discord.Message]
) -> tuple[Source | None, bool, list[str]]:
    """Return the text of the files, whether this turn names them, and small print about them.

    They are those of the messages `shown`, else the latest of the conversation.
    """
    files = [file for message in shown for file in documents(message)]
    check_files(session, files)
    sources = [await source_of_file(session, file) for file in files]
    linked, notes = await _read_links(session, turn)
    sources += linked
    if sources:
        found = join_sources(sources)
        return (found, True, [*notes, found.note])
    earlier = next((files for message in reversed(before) if is_talk(message) and (files := documents(message))), [])
    with suppress(InvalidRequest):  # what is wrong was told when the files were shown
        check_files(session, earlier)
        if earlier:
            return join_sources([await source_of_file(session, file) for file in earlier]), False, notes
    return None, False, notes


async def _read_links(session: ReplySession, turn: Turn) -> tuple[list[Source], list[str]]:
    """Read linked messages of this channel: what other channels say is not for everybody here."""
    sources: list[Source] = []
    notes: list[str] = []
    channel = turn.messages[-1].channel
    links = dict.fromkeys(link for message in turn.messages for link in links_in(message.content))
    for link in list(links)[: session.limits.files]:
        if link.channel != channel.id:
            notes.append(
                tr(
                    "I read linked messages of this channel only. For another channel use /ask with the link: only you "
                    "see its answer."
                )
            )
            continue
        try:
            sources += await sources_of_message(session, await fetch_message(channel, link.message))
        except InvalidRequest as error:
            notes.append(in_current_language(error))
    return sources, list(dict.fromkeys(notes))


def _notes_about(turn: Turn, num_pictures: int) -> list[str]:
    """Return small print about pictures that were too many, and about files that can't be read."""
    notes: list[str] = []
    if num_pictures > _MOST_PICTURES:
        most = _MOST_PICTURES
        notes.append(tr("I looked at {most} of {count} pictures", most=most, count=num_pictures))
    files = [file for message in turn.messages for file in attachments(message)]
    known = [file for message in turn.messages for file in (*documents(message), *pictures(message))]
    if other := [file.filename for file in files if file not in known]:
        names = ", ".join(f"`{name.replace('`', '')}`" for name in other[:3])
        notes.append(tr("I can't read {files}", files=names))
    return notes
