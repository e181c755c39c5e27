"""What the operator can do with a running bot. The panel in Discord and the command line both call these actions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import discord

from cogs.client import Inkling
from cogs.common.blocking import add_block, check_blockable, end_text
from cogs.common.quotas import amount
from cogs.common.reply_session import ReplySession
from cogs.common.target import now
from cogs.i18n import ntr, tr
from cogs.logging_setup import set_up_logging
from cogs.operator.failures import Failure, FailureLog
from inference import Config, ConfigError, InvalidRequest, QueueStatus, addressed_to_operator, load_config, size_text
from storage import EVERYWHERE, Block, BlockKind

log = logging.getLogger(__name__)

OnProgress = Callable[[float | None], None]
"""Called on any thread with the downloaded fraction, or None while a model is loaded."""

_MOST_SERVERS = 25


class OperatorActions:
    """The actions. Each returns what was done, in the current language, or raises InferenceError with a sentence."""

    def __init__(self, bot: Inkling, failures: FailureLog) -> None:
        self._bot = bot
        self._failures = failures
        self._reloading = asyncio.Lock()

    def status(self) -> str:
        """Return the state of the devices: queue, memory, loaded models, and which models can't run on them."""
        engine = self._bot.engine
        lines = [_device_line(status) for status in engine.queues()] or [tr("No device has worked yet.")]
        if engine.paused:
            lines.append(tr("**Paused**: what waits does not start."))
        if engine.draining:
            lines.append(tr("**Draining**: new requests are refused."))
        lines += [f"**!** {addressed_to_operator(problem)}" for problem in engine.found_problems or ()]
        return "\n".join(lines)

    async def reload(self) -> str:
        """Read config.yaml again. A faulty file changes nothing."""
        async with self._reloading:
            old = self._bot.config
            if old.file is None:
                raise InvalidRequest("These settings are not from a file.")
            try:
                new = await asyncio.to_thread(load_config, old.file)
                if problems := await self._bot.engine.reconfigure(new.model_copy(update={"data": old.data})):
                    raise ConfigError(old.file, problems)
            except ConfigError as error:
                log.error("nothing has changed, since %s", error)
                raise InvalidRequest(
                    "{file} has problems, so nothing has changed:\n{problems}",
                    file=old.file.name,
                    problems="\n".join(error.problems),
                ) from error
            set_up_logging(new.log, new.log_level)
            later = ", ".join(_needs_restart(old, new))
            log.info("%s was read again%s", old.file, f"; after a restart: {later}" if later else "")
            done = tr("{file} was read again, and holds from now on.", file=old.file.name)
            return f"{done} {tr('After a restart: {names}.', names=f'`{later}`')}" if later else done

    async def load(self, name: str, progress: OnProgress) -> str:
        """Load a model, and download it if needed."""
        spec = self._bot.engine.model_named(name)
        await self._bot.engine.load(spec, progress)
        return tr("{model} is loaded.", model=spec.name)

    async def unload(self, name: str) -> str:
        """Unload a model that is not in use."""
        spec = self._bot.engine.model_named(name)
        if not await self._bot.engine.unload(spec):
            raise InvalidRequest("{model} is in use, or was not loaded.", model=spec.name)
        return tr("{model} has left the memory.", model=spec.name)

    async def download(self, name: str, progress: OnProgress) -> str:
        """Download the files of a model."""
        spec = self._bot.engine.model_named(name)
        await self._bot.engine.download(spec, progress)
        return tr("The files of {model} are on this machine.", model=spec.name)

    def pause(self, paused: bool) -> str:
        """Start no more requests, or start those that wait."""
        self._bot.engine.pause(paused)
        if paused:
            return tr("Paused. Running requests go on, others wait until you resume.")
        return tr("Requests start again.")

    def drain(self, draining: bool) -> str:
        """Refuse new requests while accepted ones end, or take new ones again."""
        self._bot.engine.draining = draining
        if draining:
            return tr("New requests are refused. Those that were accepted go on.")
        return tr("New requests are taken again.")

    def resume(self) -> str:
        """End a pause and a drain."""
        self.pause(False)
        self.drain(False)
        return tr("Requests are taken and start again.")

    def failures(self) -> list[Failure]:
        """Return the last failures, the newest first."""
        return self._failures.latest()

    def failure(self, request_id: str) -> Failure:
        """Return the failure of this id."""
        found = self._failures.find(request_id)
        if not found:
            raise InvalidRequest("No failure with the id {id} is among the last ones.", id=request_id)
        return found

    def servers(self) -> list[str]:
        """Return a line for each server, with what it used today, the busiest first."""
        busiest = self.busiest_servers()
        lines = [
            tr("{name} · {id} · {used} today", name=guild.name, id=guild.id, used=amount(used))
            for guild, used in busiest[:_MOST_SERVERS]
        ]
        if (more := len(busiest) - _MOST_SERVERS) > 0:
            lines.append(ntr("… and {count} more", "… and {count} more", more, count=more))
        return lines

    def busiest_servers(self) -> list[tuple[discord.Guild, float]]:
        """Return each server with the seconds that it used today, the busiest first."""
        use = self._bot.store.device_use
        servers = [(guild, use.of_server(guild.id, now())) for guild in self._bot.guilds]
        return sorted(servers, key=lambda server: server[1], reverse=True)

    async def leave(self, server: int) -> str:
        """Leave a server."""
        guild = self._bot.get_guild(server)
        if not guild:
            raise InvalidRequest("I am on no server with the id {id}.", id=server)
        await guild.leave()
        return tr("I have left {name}.", name=guild.name)

    async def block(
        self, kind: BlockKind, number: int, reason: str, until: float | None, by: int, but: ReplySession | None = None
    ) -> str:
        """Block a person or a server everywhere, and cancel what runs for them, except the session `but`.

        `until` is in seconds since 1970, None for good. `by` is 0 for the command line.
        """
        if kind == "person":
            await check_blockable(self._bot.operators, number, by)
        block = Block(kind, number, EVERYWHERE, reason, until, by, now())
        await add_block(self._bot, self._bot.sessions, block, but=but)
        return tr("{id} is blocked {end}.", id=number, end=end_text(until))

    async def unblock(self, kind: BlockKind, number: int) -> str:
        """End a block."""
        if not await self._bot.store.blocks.remove(kind, number):
            raise InvalidRequest("There is no such block.")
        return tr("{id} is unblocked.", id=number)

    def blocks(self) -> list[Block]:
        """Return the blocks that hold everywhere."""
        return self._bot.store.blocks.on(EVERYWHERE, now())


def block_line(block: Block) -> str:
    """Return who is blocked, until when and why."""
    kind = tr("person") if block.kind == "person" else tr("server")
    return " · ".join(filter(None, (f"{kind} {block.id}", end_text(block.until), block.reason)))


def _device_line(status: QueueStatus) -> str:
    if status.on_server:
        return tr(
            "**Server {host}**: {running} running, {waiting} waiting",
            host=status.device,
            running=status.running,
            waiting=status.waiting,
        )
    if not status.device:
        return tr("**Device away**: {waiting} waiting until it is back", waiting=status.waiting)
    used = sum(nbytes for _, nbytes in status.loaded)
    line = tr(
        "**{device}**: {running} running, {waiting} waiting, {used} of {budget} in use",
        device=status.device,
        running=status.running,
        waiting=status.waiting,
        used=size_text(used),
        budget=size_text(status.budget),
    )
    models = ", ".join(f"{name} ({size_text(nbytes)})" for name, nbytes in status.loaded)
    return f"{line}\n-# {tr('Loaded: {models}', models=models)}" if models else line


def _needs_restart(old: Config, new: Config) -> list[str]:
    """Return the keys that have changed and take effect only after a restart."""
    changed = {
        "data": old.data != new.data,
        "database": old.database != new.database,
        "metrics": old.metrics != new.metrics,
        "discord.guild_ids": old.discord.guild_ids != new.discord.guild_ids,
        "discord.message_content": old.discord.message_content != new.discord.message_content,
    }
    return [name for name, differs in changed.items() if differs]


def actions_of(client: discord.Client) -> OperatorActions:
    """Return the actions of the cog of this bot."""
    cog: Any = cast(Inkling, client).get_cog("Operator")
    return cog.actions


async def check_operator(client: discord.Client, person: int) -> None:
    """Raise InvalidRequest unless this person is one of the bot's operators."""
    if person not in await cast(Inkling, client).operators.ids():
        raise InvalidRequest("Only the bot's operator can do this.")
