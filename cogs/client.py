"""The bot: its intents, permissions and commands, and its handling of errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

import discord
from discord import app_commands
from discord.ext import commands

from cogs.common import ReplySessions
from cogs.common.access import FOR_EVERYBODY, check_access
from cogs.common.calls import may_concern_bot, prefix
from cogs.common.cancel_button import CancelButton
from cogs.common.delivery import DELIVERY
from cogs.common.discord_calls import DiscordCalls
from cogs.common.error_messages import apologize, report
from cogs.common.operators import Operators
from cogs.common.persistent_form import PersistentForm, submit_form
from cogs.common.personal_data import PersonalData
from cogs.common.quotas import Quotas
from cogs.common.rate_limit import RateLimit
from cogs.common.rules import ANYWHERE, check_here, check_origin, origin_of
from cogs.common.target import now
from cogs.gateway import Gateway, IdentifyQueue
from cogs.i18n import LANGUAGES
from cogs.i18n.catalogues import load_catalogues
from cogs.i18n.command_translator import CommandTranslator
from cogs.i18n.locale import use_locale_of
from cogs.sync import sync_commands
from inference import Config, Engine, InvalidRequest, addressed_to_operator
from storage import ALL_SHARDS, Shards, ShardsTaken, Store

log = logging.getLogger(__name__)

Fallback = Callable[[commands.Context[Any]], Awaitable[bool]]
"""A function that may answer a mention without a command, and returns whether it did."""

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    attach_files=True,
    embed_links=True,
    read_message_history=True,
)


class CommandTree(app_commands.CommandTree["Inkling"]):
    """Commands for servers, threads and direct messages, installed to a server or to a person."""

    def __init__(self, client: Inkling) -> None:
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )

    def add_command(self, command: Any, /, *, guild: discord.abc.Snowflake | None = None, **options: Any) -> None:
        """Add a command, even a sixth context menu of a type: discord.py 2.7.1 refuses it, but Discord allows 15."""
        if isinstance(command, app_commands.ContextMenu):
            self._context_menus[command.name, guild.id if guild else None, command.type.value] = command
        else:
            super().add_command(command, guild=guild, **options)

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Set the language, and refuse people who may not use the bot, and what the server's rules forbid."""
        use_locale_of(interaction, self.client.store.settings)
        typing = interaction.type is discord.InteractionType.autocomplete
        try:
            if not _has(interaction.command, FOR_EVERYBODY):
                check_access(interaction, self.client)
            if not (typing or _has(interaction.command, ANYWHERE)):
                check_here(interaction)
        except InvalidRequest as error:
            await (interaction.response.autocomplete([]) if typing else apologize(interaction, error))
            return False
        return True

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Report an error that no session has handled: a sentence for the person, the traceback for the log."""
        await apologize(interaction, error)


def _has(command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | None, key: str) -> bool:
    """Return whether the command's extras have `key`; an unknown command, which is refused later, has all."""
    return command is None or key in command.extras


_PAUSE = 600.0
"""For so many seconds after the bot has told somebody that they may not use it, it ignores their mentions."""


class Inkling(commands.AutoShardedBot):
    """The bot. Without `message_content` in config.yaml it needs no privileged intent: people choose what it reads.

    A cog adds the data it stores about people to `personal_data`, its forms to `forms`, and its handlers of mentions
    without a command to `fallbacks`, which are called in order until one answers. `heartbeats` are called every half
    minute while the bot is connected to Discord. `shards` are those that this process runs: all that Discord
    recommends, unless it is one of several processes of the bot.
    """

    def __init__(
        self, engine: Engine, cogs: Iterable[Callable[[Inkling], commands.Cog]], shards: Shards | None = None
    ) -> None:
        intents = discord.Intents(guilds=True, messages=True, message_content=engine.config.discord.message_content)
        self.calls = DiscordCalls()
        super().__init__(
            command_prefix=_prefix,
            case_insensitive=True,
            strip_after_prefix=True,
            help_command=None,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=CommandTree,
            http_trace=self.calls.trace,
            shard_count=shards.count if shards else None,
            shard_ids=cast("list[int]", shards.ids if shards else None),  # discord.py takes None for all
        )
        self._shards = shards
        self.gateway = Gateway()
        self.engine = engine
        self.store = Store(engine.config.data / "inkling.db", engine.config.database, shards or ALL_SHARDS)
        self.identify_queue = IdentifyQueue(self.store.identifies.claim)
        self.quotas = Quotas(engine, self.store, now)
        self.sessions = ReplySessions(self)
        self.operators = Operators(self, now)
        self.personal_data: list[PersonalData] = []
        self.forms: list[type[PersistentForm]] = []
        self.fallbacks: list[Fallback] = []
        self.heartbeats: list[Callable[[], None]] = []
        self._refusals = RateLimit(1, _PAUSE)
        self._to_add = tuple(cogs)
        self._devices_checked = False
        self._handing_over: asyncio.Task[ShardsTaken] | None = None

    @property
    def config(self) -> Config:
        """The settings as they are now: the operator may change the file while the bot runs."""
        return self.engine.config

    async def start(self, token: str, **options: Any) -> None:
        """Run the bot until it is closed. Raise ShardsTaken if another process has its shards then."""
        await super().start(token, **options)
        if self._handing_over:
            raise await self._handing_over

    def hand_over(self, error: ShardsTaken) -> None:
        """End, since another process serves the same people, or both would answer each of them."""
        if self._handing_over is None:
            self._handing_over = asyncio.create_task(self._hand_over(error))

    async def _hand_over(self, error: ShardsTaken) -> ShardsTaken:
        await self.sessions.leave()
        await self.close()
        return error

    async def setup_hook(self) -> None:
        await self.prepare()
        if self._shards is None or self._shards.leads:
            await sync_commands(self.tree, self.config)
        await self.sessions.resume(self)

    async def prepare(self) -> None:
        """Load catalogues, storage and cogs; this needs no connection to Discord."""
        await asyncio.to_thread(load_catalogues, LANGUAGES)
        await self.store.open()
        self._log_what_is_shared()
        self.add_dynamic_items(CancelButton)
        for cog in self._to_add:
            await self.add_cog(cog(self))
        await self.tree.set_translator(CommandTranslator())

    def _log_what_is_shared(self) -> None:
        """Say what tells this process from others of the bot, as far as the operator has set that."""
        facts = [str(self._shards)] if self._shards else []
        if self.store.is_shared:
            facts.append(f"{self.store.database.name} is shared with other processes of the bot")
        if facts:
            log.info("%s", ". ".join(facts))

    async def close(self) -> None:
        """Close every open session, then disconnect."""
        await self.sessions.close()
        await super().close()
        await self.store.close()

    async def launch_shards(self) -> None:
        """Connect to the gateway, if Discord allows it so often. Raise NoSessionsLeft."""
        recommended, _, limits = await self.http.get_bot_gateway()
        needed = len(self._shards.ids) if self._shards else recommended
        self.identify_queue.check(discord.SessionStartLimits(**limits), needed)
        await super().launch_shards()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait until Discord allows a new session of this shard; discord.py calls it before each."""
        await self.identify_queue.wait(shard_id or 0)

    async def on_shard_connect(self, shard: int) -> None:
        """Note a new session of the gateway."""
        self.gateway.connect(shard, "new")

    async def on_shard_resumed(self, shard: int) -> None:
        """Note that a session of the gateway goes on after a break."""
        self.gateway.connect(shard, "resumed")

    async def on_shard_disconnect(self, shard: int) -> None:
        """Note that a shard is away."""
        self.gateway.disconnect(shard)

    async def on_connect(self) -> None:
        """Say once that commands work from now on, and check the devices, which imports what the models need."""
        if not self._devices_checked:
            self._devices_checked = True
            log.info("Logged in as %s. Invite it: %s", self.user, self.invite())
            for problem in await self.engine.check_devices():
                log.error("%s", addressed_to_operator(problem))

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Pass an event to its listeners, unless it is a message that can't be for the bot."""
        if event_name != "message" or may_concern_bot(args[0]):
            super().dispatch(event_name, *args, **kwargs)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Handle a submitted form. discord.py itself handles all other interactions."""
        if interaction.type is discord.InteractionType.modal_submit:
            await submit_form(self.forms, interaction)

    async def on_message(self, message: discord.Message, /) -> None:
        """Set the language before any command or listener answers."""
        use_locale_of(message, self.store.settings)
        await super().on_message(message)

    async def invoke(self, context: commands.Context[Any], /) -> None:
        """Check who asks, and the server's rules, before any command that mentions the bot."""
        if context.invoked_with and not await self.admits(context.message):
            return
        origin = origin_of(context.message)
        try:
            if context.invoked_with:
                check_origin(origin, self.store.settings.server(origin.guild))
        except InvalidRequest as error:
            await self.on_command_error(context, commands.CommandInvokeError(error))
        else:
            await super().invoke(context)

    async def admits(self, message: discord.Message) -> bool:
        """Return whether the author of a mention may use the bot there; if not, tell them in a direct message."""
        try:
            check_access(message, self)
        except InvalidRequest as error:
            if self._refusals.allows(message.author.id, now()):
                self._refusals.count(message.author.id, now())
                await self._write_to(message.author, report(error, "a mention"))
            return False
        return True

    async def _write_to(self, person: discord.abc.Messageable, text: str) -> None:
        try:
            await person.send(text)
        except DELIVERY as failure:  # a reply would show everybody that the person is blocked
            log.info("somebody who may not use the bot could not be told so: %s", failure)

    async def on_command_error(self, context: commands.Context[Any], error: commands.CommandError, /) -> None:
        """Report errors of replies such as `@Inkling summarize`; call the fallbacks for unknown commands."""
        try:
            if isinstance(error, commands.CommandNotFound):
                await self._fall_back(context)
            else:
                cause = error.original if isinstance(error, commands.CommandInvokeError) else error
                await context.reply(report(cause, str(context.command)))
        except DELIVERY as failure:
            log.warning("could not tell %s: %s", context.author.id, failure)

    async def _fall_back(self, context: commands.Context[Any]) -> None:
        for fallback in self.fallbacks:
            if await fallback(context):
                return

    def invite(self) -> str:
        """Return the link that adds the bot to a server with the permissions it uses."""
        assert self.application_id is not None, "known after login"
        return discord.utils.oauth_url(
            self.application_id, permissions=PERMISSIONS, scopes=("bot", "applications.commands")
        )


def _prefix(bot: Inkling, message: discord.Message) -> list[str]:
    """Return what stands before the command in this message; nothing if it calls none."""
    found = prefix(message, bot.all_commands)
    return [] if found is None else [found]


def bot_of(interaction: discord.Interaction) -> Inkling:
    """Return the bot that the interaction is with."""
    assert isinstance(interaction.client, Inkling)
    return interaction.client
