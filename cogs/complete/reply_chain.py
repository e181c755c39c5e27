"""Replies to a text go on with it: what was said before is read from the chain of replies itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import discord

from cogs.client import Inkling
from cogs.common import MessageResponder, ReplySession
from cogs.common.markdown import without_escapes
from cogs.common.persistent_item import custom_id
from cogs.common.sources import pointed_at, text_of_message
from cogs.complete.service import show_completion
from inference import CompleteRequest, InvalidRequest, Message
from storage import TextThread

_MOST_TEXTS = 10
"""How far back a chain is followed: each text takes two messages."""

_CLINGING = '.,;:!?…)”’"'
"""What follows a word without a space."""


async def continue_by_reply(bot: Inkling, message: discord.Message, words: str | None = None) -> bool:
    """Go on with the text that `message` replies to, by `words`: by default, those that follow the bot's name.

    Returns whether the message replied to shows a text of the bot's: if not, nothing was done.
    """
    words = _words(bot, message) if words is None else words.strip()
    async with bot.sessions.open(MessageResponder(message, "complete")) as session:
        text = await _replied_to(message)
        if text is None or not _is_text(bot, text):
            return False
        if not words:
            raise InvalidRequest("Add the words that the text is to go on with, or press Continue below it.")
        await _go_on(bot, session, message, text, words)
    return True


async def _go_on(
    bot: Inkling, session: ReplySession, message: discord.Message, text: discord.Message, words: str
) -> None:
    """With the model and the settings of the text before."""
    stored = await bot.store.text_threads.shown_by(text.id)
    options = stored.thread.request if stored else CompleteRequest(prompt=words)
    chat = stored.thread.chat if stored else _is_answer(text)
    before = await _messages_before(bot, session, message)
    prompt = words if chat else _spaced(before, words)
    request = replace(options, prompt=prompt, seed=None, n=1, owner=str(message.author.id))
    await show_completion(session, bot.store.text_threads, request, before)


async def messages_before_text(bot: Inkling, session: ReplySession, text: discord.Message) -> tuple[Message, ...]:
    """What was said before the message that `text` answers, oldest first."""
    asked = await _replied_to(text)
    return await _messages_before(bot, session, asked) if asked else ()


async def foreign_prompt(session: ReplySession, text: discord.Message) -> str:
    """What `text` goes on from, in the words of somebody else: read again, since it is not kept.

    Raises InvalidRequest where it is gone or hidden.
    """
    asked = await pointed_at(text)
    beginning = await pointed_at(asked) if asked else None
    if beginning is None:
        raise InvalidRequest("The message that this goes on from is gone, so I can't go on with it.")
    return await text_of_message(session, beginning)


async def _messages_before(bot: Inkling, session: ReplySession, asked: discord.Message | None) -> tuple[Message, ...]:
    before: tuple[Message, ...] = ()
    for _ in range(_MOST_TEXTS):
        text = await _replied_to(asked) if asked else None
        if text is None or not _is_text(bot, text):
            break
        stored = await bot.store.text_threads.shown_by(text.id)
        said = await _messages_stored(session, text, stored.thread) if stored else _messages_shown(text)
        before = (*said, *before)
        asked = await _replied_to(text)
    return before


async def _messages_stored(session: ReplySession, text: discord.Message, thread: TextThread) -> Sequence[Message]:
    prompt = thread.request.prompt
    if thread.foreign:
        with suppress(InvalidRequest):  # what is gone or hidden ends the memory
            prompt = await foreign_prompt(session, text)
    return Message("user", prompt), Message("assistant", thread.written)


def _messages_shown(text: discord.Message) -> Sequence[Message]:
    """As far as the message itself says: of a text that the model went on with, both are one."""
    lines = [line for line in text.content.split("\n") if not line.startswith("-# ")]
    asked = [Message("user", without_escapes(lines.pop(0)[2:]))] if _is_answer(text) else []
    return [*asked, Message("assistant", without_escapes(_BOLD.sub("", "\n".join(lines).strip())))]


_BOLD = re.compile(r"(?<!\\)\*\*")


def _is_text(bot: Inkling, message: discord.Message) -> bool:
    """Whether it is one of the bot's texts, which their buttons tell."""
    rows = (row for row in message.components if isinstance(row, discord.ActionRow))
    ids = [str(getattr(button, "custom_id", "")) for row in rows for button in row.children]
    return message.author == bot.user and any(each.startswith(custom_id("complete", "")) for each in ids)


def _is_answer(text: discord.Message) -> bool:
    """Whether a chat model wrote it: then it shows the prompt as a quote."""
    return text.content.startswith("> ")


def _words(bot: Inkling, message: discord.Message) -> str:
    """What follows the bot's name."""
    assert bot.user is not None, "known after login"
    return re.sub(rf"^\s*<@!?{bot.user.id}>", "", message.content).strip()


def _spaced(before: Sequence[Message], words: str) -> str:
    """`words` as they go on from what was said before, where there is one text and no talk."""
    text = before[-1].content if before else ""
    glued = not text or text[-1].isspace() or words[0] in _CLINGING
    return words if glued else f" {words}"


async def _replied_to(message: discord.Message) -> discord.Message | None:
    """None if it is no reply, or the message replied to is gone or hidden."""
    reference = message.reference
    if reference is None or reference.message_id is None or reference.type is not discord.MessageReferenceType.reply:
        return None
    if isinstance(reference.resolved, discord.Message):
        return reference.resolved
    try:
        return reference.cached_message or await message.channel.fetch_message(reference.message_id)
    except (discord.NotFound, discord.Forbidden):
        return None
