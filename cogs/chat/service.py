"""One turn of a conversation: what was said and shown is read, and the reply is written into one message."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import discord

from cogs.ask.rendering import evidence, span
from cogs.ask.service import passages_of
from cogs.chat.memory import as_messages, remember, words_to_me
from cogs.chat.rendering import ChatRenderer, reply_buttons, reply_content, seen_line
from cogs.client import Inkling
from cogs.common import ProgressRenderer, ReplyJob, ReplySession, report
from cogs.common.error_messages import in_current_language
from cogs.common.sources import (
    Source,
    attachments,
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
from cogs.i18n import ntr, tr
from inference import (
    Answer,
    AskRequest,
    Caption,
    CaptionRequest,
    ChatAnswerRequest,
    ChatReply,
    ChatRequest,
    CheckedRequest,
    Engine,
    InvalidRequest,
    RequestCancelled,
    RequestTimeout,
    serializable,
    shortened,
)
from storage import StorageError

log = logging.getLogger(__name__)

_MOST_PICTURES = 4
"""The most pictures of one turn that are looked at."""

_LONGEST_REPLY = 512
"""The most tokens of a reply; Continue below it adds more."""

_SURE = 0.3
"""The least score of an answer in a file that was shown earlier: else the turn is not about that file."""

_WHAT_IS_THERE = "Describe this picture."


@dataclass(frozen=True, slots=True)
class Turn:
    """The messages of one person that are answered together, oldest first.

    With `whole_channel`, everything before them in the channel belongs to the conversation.
    """

    messages: tuple[discord.Message, ...]
    whole_channel: bool


@serializable
@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture of a turn, and the name of its file."""

    name: str
    data: bytes


@serializable
@dataclass(frozen=True, slots=True)
class ChatJob(ReplyJob):
    """A reply. `source` is the text of files, `named` whether this turn is about them; `notes` are small print."""

    checked: CheckedRequest[ChatRequest]
    question: str
    pictures: tuple[ShownPicture, ...] = ()
    source: Source | None = None
    named: bool = True
    notes: tuple[str, ...] = ()

    async def answer(self, session: ReplySession) -> None:
        seen = [seen_line(picture.name, await self._description(session, picture)) for picture in self.pictures]
        answer = await self._search(session) if self.source else None
        passages = passages_of(answer, self.source) if answer and self.source else ""
        quotes = evidence(answer, self.source) if answer and self.source and span(answer) else ""
        context = "\n\n".join([*(line.removeprefix("-# ") for line in seen), *filter(None, [passages])])
        await self._write(session, context, seen, quotes)

    async def _description(self, session: ReplySession, picture: ShownPicture) -> str:
        """Return what a model sees: the one that answers questions about pictures, or the one that describes them."""
        status = ProgressRenderer(tr("Looking at the picture…"))
        try:
            if session.engine.models_for_pictures():
                question = ChatAnswerRequest(question=self.question or _WHAT_IS_THERE, owner=str(session.owner))
                checked = session.check(question, pending=["image"])
                return (await session.run(checked, Answer, status, image=picture.data)).text
            if session.engine.models("caption"):
                request = CaptionRequest(owner=str(session.owner))
                checked = session.check(request, pending=["image"])
                return (await session.run(checked, Caption, status, image=picture.data)).text
        except InvalidRequest as error:
            return in_current_language(error)
        return tr("no model here can see pictures")

    async def _search(self, session: ReplySession) -> Answer | None:
        """Return what the files say about the last words; None if the turn is not about them."""
        assert self.source is not None
        if not session.engine.models("ask") or not self.question:
            return Answer("", 0.0, 0, 0) if self.named else None
        question = AskRequest(
            question=shortened(self.question, session.limits.prompt_characters),
            context=self.source.text,
            text_source=self.source.text_source,
            owner=str(session.owner),
        )
        answer = await session.run(session.check(question), Answer, ProgressRenderer(tr("Looking into the file…")))
        return answer if self.named or (answer.text and answer.score >= _SURE) else None

    async def _write(self, session: ReplySession, context: str, seen: Sequence[str], quotes: str) -> None:
        request, checked = self.checked.request, self.checked
        if context:
            request = replace(request, model=checked.spec.name, context=context)
            checked = session.check(request)
        renderer = ChatRenderer(request.prefill, seen)
        try:
            reply, why = await session.run(checked, ChatReply, renderer), ""
        except (RequestCancelled, RequestTimeout) as error:
            text = renderer.partial.text
            if not text.strip():
                raise
            reply = ChatReply(text, checked.request.seed or 0, "length", renderer.partial.thoughts)
            is_stop = isinstance(error, RequestCancelled)
            why = tr("stopped") if is_stop else report(error, "chat", session.target.request_id)
        text = request.prefill + reply.text
        if not text.strip():
            raise InvalidRequest("The model had nothing to say. Say it in other words, or press Try another.")
        notes = (*self.notes, _omitted(reply.num_omitted), why)
        thought = renderer.thought if reply.thoughts else None
        await _keep_thoughts(session, reply.thoughts)
        buttons = reply_buttons(session.owner, reply, thought)
        await session.finish(reply_content(text, seen, quotes, notes), buttons)
        await session.notify_if_late(tr("I have answered you."))


async def read_turn(bot: Inkling, session: ReplySession, turn: Turn, prefill: str = "") -> ChatJob:
    """Read what was said and shown, and return the job that replies; `prefill` is the reply so far.

    Acknowledge if files have to be read. Raise InvalidRequest.
    """
    me, last = bot.user, turn.messages[-1]
    assert me is not None, "the bot is logged in"
    memory = await remember(turn.messages, whole_channel=turn.whole_channel)
    shown = [*_pointed_at(turn, memory.messages), *turn.messages]
    question = "\n".join(filter(None, (words_to_me(message, me) for message in turn.messages)))
    messages = tuple(as_messages([*memory.messages, *turn.messages], me))
    if not messages or messages[-1].role != "user":
        raise InvalidRequest("There are no words in your message that I can read. Write something to me.")
    request = ChatRequest(messages=messages, prefill=prefill, max_new_tokens=_LONGEST_REPLY, owner=str(session.owner))
    checked = session.check(request)
    system = system_message(bot, last, checked.spec.system)
    checked = session.check(replace(request, system=system, model=checked.spec.name))
    notes = [tr("An earlier message is gone, so I know nothing from before it.")] if memory.gap else []
    found, named, file_notes = await _read_files(session, turn, memory.messages, shown)
    looked_at = [picture for message in shown for picture in pictures(message)]
    if looked_at:
        for picture in looked_at[:_MOST_PICTURES]:
            check_size(picture, session.limits.upload)
        await session.acknowledge()
    return ChatJob(
        checked,
        question,
        tuple([ShownPicture(each.filename, await read(each)) for each in looked_at[:_MOST_PICTURES]]),
        found,
        named,
        (*notes, *file_notes, *_notes_about(turn, len(looked_at))),
    )


def system_message(bot: Inkling, message: discord.Message, of_model: str = "") -> str:
    """Return who the bot is, and where and when it talks: the persona of the place, or what config.yaml says."""
    assert bot.user is not None, "the bot is logged in"
    guild, channel = message.guild, message.channel
    name = guild.me.display_name if guild else bot.user.display_name
    parent = channel.parent_id if isinstance(channel, discord.Thread) else None
    persona = bot.store.settings.server(guild.id if guild else None).persona_in(channel.id, parent)
    who = persona or of_model or "You are friendly, and you answer briefly and plainly."
    day = discord.utils.utcnow()
    lines = [f"Your name is {name}. {who}", f"Today is {day:%A}, {day.day} {day:%B} {day.year}."]
    if guild:
        lines.append(f"You are in the channel {getattr(channel, 'name', '')} of the server {guild.name}.")
        lines.append("Each message begins with the name of the person who wrote it; begin yours without a name.")
    return "\n".join(lines)


def _pointed_at(turn: Turn, before: Sequence[discord.Message]) -> Sequence[discord.Message]:
    """Return the message that the turn replies to, whose files belong to it."""
    replied_to = {message.reference.message_id for message in turn.messages if message.reference}
    return [message for message in before if message.id in replied_to]


async def _read_files(
    session: ReplySession, turn: Turn, before: Sequence[discord.Message], shown: Sequence[discord.Message]
) -> tuple[Source | None, bool, list[str]]:
    """Return the text of the files, whether this turn names them, and small print about them.

    They are those of the messages `shown`, else the latest of the conversation.
    """
    sources: list[Source] = []
    for message in shown:
        sources += [await source_of_file(session, file) for file in documents(message)]
    linked, notes = await _read_links(session, turn)
    sources += linked
    if sources:
        found = join_sources(sources)
        return (found, True, [*notes, found.note])
    for message in reversed(before):
        with suppress(InvalidRequest):  # it was told when the file was shown
            if earlier := [await source_of_file(session, file) for file in documents(message)]:
                return join_sources(earlier), False, notes
    return None, False, notes


async def _read_links(session: ReplySession, turn: Turn) -> tuple[list[Source], list[str]]:
    """Read linked messages of this channel: what other channels say is not for everybody here."""
    sources: list[Source] = []
    notes: list[str] = []
    channel = turn.messages[-1].channel
    for link in dict.fromkeys(link for message in turn.messages for link in links_in(message.content)):
        if link.channel != channel.id:
            notes.append(tr("I follow links to this channel only. For others use /ask, which answers you alone."))
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


def _omitted(count: int) -> str:
    if not count:
        return ""
    return ntr(
        "The oldest message was too much for the model, so it was left out",
        "The {count} oldest messages were too much for the model, so they were left out",
        count,
        count=count,
    )


async def _keep_thoughts(session: ReplySession, thoughts: str) -> None:
    """Store the thoughts, which a button shows; or forget earlier ones of the same message."""
    table = session.services.store.thoughts
    try:
        if thoughts:
            await table.keep(session.owner, *session.where, thoughts, private=session.target.private)
        elif session.resumed:
            await table.forget_messages([session.where[1]])
    except StorageError as error:
        log.error("thoughts could not be stored: %s", error, exc_info=error)


def has_chat_model(engine: Engine) -> bool:
    """Return whether a model to talk with is configured."""
    return bool(engine.models("chat"))
