"""Commands in replies, such as `@Inkling summarize`, about the message that is replied to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import discord
from discord.ext import commands

from cogs.about import show_help
from cogs.ask import Question, gather_by_reply, show_answer
from cogs.caption import show_captions
from cogs.client import Inkling
from cogs.common import MessageResponder, ReplySession
from cogs.common.calls import mentions_role, text_after_name
from cogs.common.sources import pictures, pointed_at, text_of_message, visible
from cogs.complete import USUAL_LENGTH, continue_by_reply, show_completion
from cogs.i18n import LANGUAGES, tr, word
from cogs.i18n.catalogues import catalogue
from cogs.i18n.locale import use_locale_of
from cogs.mood import show_mood
from cogs.summarize import show_summary
from inference import LENGTHS, CompleteRequest, InvalidRequest, Length, SentimentRequest, SummarizeRequest, TextSource

Context = commands.Context[Any]

_LONGEST_WORD = 50


class Mention(commands.Cog):
    """The commands that follow a mention of the bot."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        bot.fallbacks.append(_answer_unknown_word)
        _translate(self.get_commands())

    @commands.command()
    async def summarize(self, context: Context, *, text: str = "") -> None:
        """Summarize the message (short, medium, long or bullets), or the text that follows."""
        async with self._session(context) as session:
            length = _length(text if context.message.reference else "", str(context.invoked_with))
            request = SummarizeRequest(length=length, owner=_owner(context))
            checked = session.check(request, pending=["text"])
            found, text_source = await self._text(session, context, text)
            await show_summary(session, checked, found, text_source=text_source)

    @commands.command()
    async def ask(self, context: Context, *, question: str = "") -> None:
        """Ask about the message, about the files of this one, or a language model."""
        async with self._session(context) as session:
            source = await gather_by_reply(session, context.message)
            await show_answer(session, Question(question), source)

    @commands.command()
    async def caption(self, context: Context) -> None:
        """Describe the pictures of the message, or of this one."""
        async with self._session(context) as session:
            target = await pointed_at(context.message) or context.message
            await show_captions(session, pictures(target), _owner(context))

    @commands.command()
    async def mood(self, context: Context, *, text: str = "") -> None:
        """Tell everybody the mood of the message, or of the text that follows; Mood in its menu tells you alone."""
        async with self._session(context) as session:
            checked = session.check(SentimentRequest(owner=_owner(context)), pending=["texts"])
            found, text_source = await self._text(session, context, text)
            await show_mood(session, checked, found, text_source=text_source)

    @commands.command()
    async def complete(self, context: Context, *, prompt: str = "") -> None:
        """Continue the message, or the text that follows."""
        if await continue_by_reply(self.bot, context.message, prompt):
            return
        async with self._session(context) as session:
            source, _ = await self._text(session, context, prompt)
            request = CompleteRequest(
                prompt=source, max_new_tokens=USUAL_LENGTH, whole_sentences=True, owner=_owner(context)
            )
            foreign = context.message.reference is not None
            await show_completion(session, request, foreign=foreign)

    @commands.command()
    async def help(self, context: Context, *, command: str = "") -> None:
        """Show what I can do, with examples."""
        async with self._session(context) as session:
            await show_help(session, self.bot, context.permissions, command)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that is only a mention of the bot, or whose words Discord hides, with a short help."""
        by_role = mentions_role(message) and not visible(message)
        is_shown = bool(message.attachments) and bool(self.bot.engine.models("chat"))
        if message.author.bot or not (by_role or (text_after_name(message) == "" and not is_shown)):
            return
        use_locale_of(message, self.bot.store.settings)
        if not await self.bot.admits(message):
            return
        async with self.bot.sessions.open(MessageResponder.of(self.bot, message, "help")) as session:
            session.check_rules()
            if by_role:
                await message.reply(
                    tr(
                        "You chose my role, so Discord hides your words from me. Write `@Inkling` again, and choose "
                        "me in the list, not the role."
                    )
                )
                return
            commands = tr(
                "Reply to a message with `@Inkling` and one of these: `summarize`, `ask` and a question, "
                "`caption`, `complete` or `mood`. `@Inkling help` tells what else I can do."
            )
            can_talk = bool(self.bot.engine.models("chat"))
            talk = tr("Write after my name what you want to say, and I answer.") if can_talk else ""
            await message.reply(f"{talk} {commands}".strip())

    def _session(self, context: Context) -> ReplySession:
        return self.bot.sessions.open(MessageResponder.of(context.bot, context.message, str(context.command)))

    async def _text(self, session: ReplySession, context: Context, text: str) -> tuple[str, TextSource]:
        """Return the text of the message replied to, else the text after the command, and which of them it is."""
        if target := await pointed_at(context.message):
            return await text_of_message(session, target), "chosen"
        if not text:
            raise InvalidRequest(
                "Reply to a message with `@Inkling {command}`, so that I know which one you mean.",
                command=context.invoked_with,
            )
        return text, "typed"


async def _answer_unknown_word(context: Context) -> bool:
    """Say which commands may follow the bot's name."""
    text = tr(
        "I don't know `{word}`. After my name, write `summarize`, `ask` and a question, `caption`, `complete`, `mood` "
        "or `help`.",
        word=_shortened(context.invoked_with or ""),
    )
    await context.reply(text)
    return True


def _translate(mentioned: Iterable[commands.Command[Any, ..., Any]]) -> None:
    """Add each command's name in the other languages as an alias, unless another command has that name."""
    taken = {command.name for command in mentioned}
    for command in mentioned:
        names = {catalogue(language).pgettext("command", command.name) for language in LANGUAGES}
        command.aliases = sorted(names - taken)
        taken |= names


def _length(typed: str, command: str) -> Length:
    """Return the length with this name in any language, medium for none; raise InvalidRequest."""
    if not typed:
        return "medium"
    for length in LENGTHS:
        if typed.strip().lower() in {catalogue(language).pgettext("choice", length).lower() for language in LANGUAGES}:
            return length
    raise InvalidRequest(
        "I don't know the length `{typed}`. After `@Inkling {command}`, write one of these, or nothing: {lengths}.",
        typed=_shortened(typed),
        command=command,
        lengths=", ".join(f"`{word(length, 'choice')}`" for length in LENGTHS),
    )


def _shortened(typed: str) -> str:
    """Shorten the text, and replace backticks so that it fits between backticks."""
    return typed.replace("`", "'")[:_LONGEST_WORD]


def _owner(context: Context) -> str:
    return str(context.author.id)
