"""Conversations: by mention, by reply, in direct messages, and in threads that /chat opens."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.chat.buttons import ChatButton, ThoughtsButton
from cogs.chat.conversations import Conversations
from cogs.chat.memory import text_without_mention
from cogs.chat.personal_data import PersonalThoughts
from cogs.chat.places import Places, is_talk, may_write, start_view
from cogs.chat.turns import Turn, has_chat_model, read_turn
from cogs.client import Inkling
from cogs.common import InteractionResponder, MessageContent, MessageResponder
from cogs.common.delivery import DELIVERY
from cogs.common.help_texts import TEXTS, examples, visibility
from cogs.common.rate_limit import RateLimit
from cogs.common.target import now
from cogs.i18n import LANGUAGES, gettext_noop, tr
from cogs.i18n.catalogues import catalogue
from cogs.i18n.locale import use_locale_of
from inference import Engine, InvalidRequest, refuse_words

_PAUSE = 0.8
"""Seconds between two messages that are one turn."""

_APOLOGY_PAUSE = 600.0
"""For so many seconds after a person has been told that there is no chat model, they are not told again."""

_LONGEST_TOPIC = 90

_STOP = gettext_noop("stop")
"""What people write to stop an answer."""


class Chat(commands.Cog):
    """The conversations of the bot."""

    help_group = TEXTS

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        self.places = Places(lambda: bot.user)
        self.conversations = Conversations(_PAUSE)
        self._apologies = RateLimit(1, _APOLOGY_PAUSE)
        self._stop_words = {catalogue(language).gettext(_STOP) for language in LANGUAGES} | {_STOP}
        bot.add_dynamic_items(ChatButton, ThoughtsButton)
        bot.personal_data.append(PersonalThoughts(bot.store.thoughts))
        bot.fallbacks.append(self._answer_call)

    @app_commands.command(
        extras=visibility(gettext_noop("Everybody in the thread sees what is said there."))
        | examples({"topic": gettext_noop("Ideas for the party")}, {"forget": True})
    )
    @app_commands.describe(topic="The name of the thread", forget="Forget what was said here before, and start again")
    async def chat(
        self,
        interaction: discord.Interaction,
        topic: app_commands.Range[str, 1, 90] = "",
        forget: bool = False,
    ) -> None:
        """Open a thread to talk in, or begin a new conversation here."""
        channel = interaction.channel
        opens_thread = isinstance(channel, discord.TextChannel) and not forget
        responder = InteractionResponder.of(interaction, private=not opens_thread)
        async with self.bot.sessions.open(responder) as session:
            session.check_rules()
            if not has_chat_model(session.engine):
                raise _no_model()
            if opens_thread and isinstance(channel, discord.TextChannel):
                _check_may_open(interaction, topic, session.engine)
                await session.acknowledge()
                thread = await self._open_thread(interaction, channel, topic)
                await session.finish(MessageContent(tr("Let's talk in {thread}.", thread=thread.mention)))
                return
            if not isinstance(channel, discord.Thread | discord.DMChannel):
                raise InvalidRequest(
                    "Here each message that mentions me begins a conversation, and replies go on with it; so there is "
                    "nothing to forget."
                )
            await session.acknowledge()
            await self._begin(channel)
            await session.finish(MessageContent(tr("I remember nothing from before my message below.")))

    async def _open_thread(
        self, interaction: discord.Interaction, channel: discord.TextChannel, topic: str
    ) -> discord.Thread:
        bot = self.bot.user.display_name if self.bot.user else ""
        name = topic or tr("{person} and {bot}", person=interaction.user.display_name, bot=bot)
        kind = discord.ChannelType.news_thread if channel.is_news() else discord.ChannelType.public_thread
        try:
            thread = await channel.create_thread(name=name[:_LONGEST_TOPIC], type=kind)
        except discord.Forbidden as error:
            raise InvalidRequest(
                "I may not open threads here. I need Create Public Threads and Send Messages in Threads; a moderator "
                "can grant them. Or mention me in a message: that works everywhere."
            ) from error
        await self._begin(thread)
        with contextlib.suppress(*DELIVERY):  # the link to the thread leads there too
            await thread.add_user(interaction.user)
        return thread

    async def _begin(self, channel: discord.Thread | discord.DMChannel) -> None:
        """Begin a conversation with a message of its own, which everybody sees, and which stays."""
        try:
            if isinstance(channel, discord.Thread) and channel.me is None:
                await channel.join()
            await channel.send(self._greeting(channel), view=start_view())
        except discord.Forbidden as error:
            raise InvalidRequest(
                "I may not write here. I need Send Messages in Threads; a moderator can grant it."
            ) from error
        if isinstance(channel, discord.Thread):
            self.places.join(channel)

    def _greeting(self, channel: discord.Thread | discord.DMChannel) -> str:
        if isinstance(channel, discord.DMChannel) or self.bot.intents.message_content:
            return tr("I answer every message here. What shall we talk about?")
        return tr(
            "I answer every message here that mentions me, since Discord hides the others from me. What shall we talk "
            "about?"
        )

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that is for the bot, and no command: those that begin with its name come as calls."""
        if not is_talk(message) or not await self.places.is_for_me(message):
            return
        use_locale_of(message, self.bot.store.settings)
        context = await self.bot.get_context(message)
        is_call = context.prefix is not None and context.invoked_with
        if not is_call and not _is_only_mention(message):
            await self._answer(message)

    async def _answer_call(self, context: commands.Context[Any]) -> bool:
        """Answer a message that begins with the bot's name, without a command."""
        if not has_chat_model(self.bot.engine):
            return False
        await self._answer(context.message)
        return True

    async def _answer(self, message: discord.Message) -> None:
        if not may_write(message) or not await self.bot.admits(message):
            return
        if not has_chat_model(self.bot.engine):
            await self._apologize(message)
            return
        whole_channel = await self.places.is_conversation(message.channel)
        assert self.bot.user is not None, "the bot is logged in"
        if text_without_mention(message, self.bot.user).lower().strip("!. ") in self._stop_words:
            for session in self.bot.sessions.of_person(message.author.id, message.channel.id):
                session.cancel(gettext_noop("Stopped."))
            return
        replied_to = message.reference.message_id if message.reference else None
        own_key = (message.channel.id, message.author.id, replied_to or 0)
        key = (message.channel.id,) if whole_channel else own_key
        await self.conversations.add(key, message, lambda turn: self._take_turn(Turn(turn, whole_channel)))

    async def _take_turn(self, turn: Turn) -> None:
        last = turn.messages[-1]
        if not await self.bot.admits(last):  # somebody may have been blocked meanwhile
            return
        use_locale_of(last, self.bot.store.settings)  # an earlier turn may be somebody else's
        with contextlib.suppress(*DELIVERY):  # the reply itself will say what is wrong
            await last.channel.typing()
        async with self.bot.sessions.open(MessageResponder.of(self.bot, last, "chat")) as session:
            session.check_rules()
            await session.store()  # reading may take a while: after a kill, the person is asked to ask again
            await session.perform(await read_turn(self.bot, session, turn))

    async def _apologize(self, message: discord.Message) -> None:
        """Say once in a while that there is no chat model, where people would wait for an answer."""
        person = message.author.id
        if message.guild is None and self._apologies.allows(person, now()):
            self._apologies.count(person, now())
            async with self.bot.sessions.open(MessageResponder.of(self.bot, message, "chat")):
                raise _no_model()


def _no_model() -> InvalidRequest:
    return InvalidRequest(
        "No model to talk with is set up here. /help shows what else I can do; the bot's operator can add a model "
        "under `chat` in config.yaml."
    )


def _check_may_open(interaction: discord.Interaction, topic: str, engine: Engine) -> None:
    """Raise InvalidRequest unless the person could open such a thread without the bot."""
    refuse_words([topic], engine.config.safety.words)
    if not interaction.permissions.create_public_threads:
        raise InvalidRequest(
            "You may not open threads in this channel, so I don't open one for you. Mention me in a message instead."
        )


def _is_only_mention(message: discord.Message) -> bool:
    return bool(re.fullmatch(r"\s*<@[!&]?\d+>\s*", message.content)) and not message.attachments
