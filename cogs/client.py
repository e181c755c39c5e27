"""The bot itself: its intents and permissions, its commands, and what happens when one of them fails."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs import COGS
from cogs.ask.answer_cache import AnswerCache
from cogs.common import ReplySessions
from cogs.common.error_messages import DELIVERY, apologize, report
from cogs.common.rules import ANYWHERE, check_here, check_origin, origin_of
from cogs.complete import continue_by_reply
from cogs.i18n import LANGUAGES
from cogs.i18n.catalogues import load_catalogues
from cogs.i18n.command_translator import CommandTranslator
from cogs.i18n.locale import use_locale_of
from cogs.mention import unknown_word
from cogs.sync import sync_commands
from inference import Config, Engine, InvalidRequest
from storage import Store

log = logging.getLogger(__name__)

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    embed_links=True,
    read_message_history=True,
)


class CommandTree(app_commands.CommandTree["Inkling"]):
    """Commands work in servers, threads and direct messages, installed to a server or to a person."""

    def __init__(self, client: Inkling) -> None:
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )

    def add_command(self, command: Any, /, *, guild: discord.abc.Snowflake | None = None, **options: Any) -> None:
        """discord.py 2.7.1 refuses the sixth menu of a kind; Discord has taken 15 since March 2026."""
        if isinstance(command, app_commands.ContextMenu):
            self._context_menus[command.name, guild.id if guild else None, command.type.value] = command
        else:
            super().add_command(command, guild=guild, **options)

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """The first to hear of a command, a menu, or an option that is being typed."""
        use_locale_of(interaction, self.client.store.settings)
        if interaction.type is discord.InteractionType.autocomplete or _works_anywhere(interaction.command):
            return True
        try:
            check_here(interaction)
        except InvalidRequest as error:
            await apologize(interaction, error)
            return False
        return True

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """What no job has caught: the person gets a sentence, the log the traceback."""
        await apologize(interaction, error)


def _works_anywhere(command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | None) -> bool:
    """Whatever a server's rules are; a command that is not known is told so later."""
    return command is None or ANYWHERE in command.extras


class Inkling(commands.Bot):
    """Asks for no privileged intent: messages are read only where people point at them."""

    def __init__(self, config: Config, engine: Engine) -> None:
        intents = discord.Intents(guilds=True, messages=True)
        super().__init__(
            command_prefix=commands.when_mentioned,
            case_insensitive=True,
            strip_after_prefix=True,
            help_command=None,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=CommandTree,
        )
        self.config = config
        self.engine = engine
        self.store = Store(config.data / "inkling.db")
        self.answers = AnswerCache()
        self.sessions = ReplySessions(engine, self.store.settings)

    async def setup_hook(self) -> None:
        await self.prepare()
        await sync_commands(self.tree, self.config)

    async def prepare(self) -> None:
        """Have storage, languages and commands at hand; needs no Discord."""
        await asyncio.to_thread(load_catalogues, LANGUAGES)
        await self.store.open()
        for cog in COGS:
            await self.add_cog(cog(self))
        await self.tree.set_translator(CommandTranslator())

    async def close(self) -> None:
        """Give every open job its last word, then leave."""
        await self.sessions.close()
        await super().close()
        await self.store.close()

    async def on_ready(self) -> None:
        log.info("Logged in as %s. Invite it: %s", self.user, self.invite())

    async def on_message(self, message: discord.Message, /) -> None:
        """The first to hear of a message."""
        use_locale_of(message, self.store.settings)
        await super().on_message(message)

    async def invoke(self, context: commands.Context[Any], /) -> None:
        """Whatever follows the bot's name is under the rules of the server."""
        origin = origin_of(context.message)
        try:
            if context.invoked_with:
                check_origin(origin, self.store.settings.server(origin.guild))
        except InvalidRequest as error:
            await self.on_command_error(context, commands.CommandInvokeError(error))
        else:
            await super().invoke(context)

    async def on_command_error(self, context: commands.Context[Any], error: commands.CommandError, /) -> None:
        """The same for replies such as `@Inkling summarize`; an unknown word after the name gets a hint."""
        if isinstance(error, commands.CommandNotFound) and await continue_by_reply(self, context.message):
            return
        if isinstance(error, commands.CommandNotFound):
            text = unknown_word(context)
        else:
            cause = error.original if isinstance(error, commands.CommandInvokeError) else error
            text = report(cause, str(context.command))
        try:
            await context.reply(text)
        except DELIVERY as failure:
            log.warning("could not tell %s: %s", context.author.id, failure)

    def invite(self) -> str:
        """The link that adds the bot to a server, with exactly what it uses."""
        assert self.application_id is not None, "known after login"
        return discord.utils.oauth_url(
            self.application_id, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
        )
