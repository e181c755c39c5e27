"""/models, /queue and /help: what the bot has, how busy it is, what it can do. Only the person who asks sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.reply import InteractionPlace, Page
from cogs.reply.text import seconds
from inference import ModelStatus, QueueStatus

if TYPE_CHECKING:
    from cogs.client import Inkling


_DRAWINGS = (
    "**Below drawings**: U1 shows picture 1 alone, V1 varies it, Remix changes words and settings. "
    "**In prompts**: `(word:1.3)` counts more, `[word]` less, `{red,blue}` draws both. "
    "A picture that I drew, given to `/imagine` as `image` without a prompt, is drawn again."
)


class About(commands.Cog):
    """The bot itself."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot
        self.jobs = bot.jobs

    @app_commands.command()
    async def models(self, interaction: discord.Interaction) -> None:
        """List the models: what each is for, where it is, and its size."""
        async with self.jobs.open(InteractionPlace(interaction, private=True)) as job:
            await job.acknowledge()
            await job.finish(Page(_models(await job.engine.statuses())))

    @app_commands.command()
    async def queue(self, interaction: discord.Interaction) -> None:
        """Show how many requests wait and run."""
        async with self.jobs.open(InteractionPlace(interaction, private=True)) as job:
            await job.acknowledge()
            await job.finish(Page("\n".join(map(_queue, job.engine.queues())) or "Nobody is waiting."))

    @app_commands.command()
    async def help(self, interaction: discord.Interaction) -> None:
        """Show what the bot can do."""
        async with self.jobs.open(InteractionPlace(interaction, private=True)) as job:
            await job.acknowledge()
            await job.finish(Page(help_text(self.bot)))


def help_text(bot: Inkling) -> str:
    """Every command, menu and reply, in its own words."""
    tree: app_commands.CommandTree[Any] = bot.tree
    slash = tree.get_commands(type=discord.AppCommandType.chat_input)
    menus = tree.get_commands(type=discord.AppCommandType.message)
    replies = sorted(bot.commands, key=lambda command: command.name)
    return "\n".join(
        [
            *(f"`/{command.name}` {_description(command)}" for command in slash),
            f"**In the menu of a message**, under Apps: {', '.join(menu.name for menu in menus)}",
            _DRAWINGS,
            f"**In a reply to a message**: {', '.join(f'`@Inkling {command.name}`' for command in replies)}",
        ]
    )


def _description(command: app_commands.Command[Any, ..., Any] | app_commands.Group) -> str:
    return command.description


def _models(statuses: list[ModelStatus]) -> str:
    tasks = list(dict.fromkeys(status.spec.task for status in statuses))
    blocks = [[f"**/{task}**", *_of_task([s for s in statuses if s.spec.task == task])] for task in tasks]
    return "\n".join(line for block in blocks for line in block) or "No models are set up."


def _of_task(statuses: list[ModelStatus]) -> list[str]:
    """The first is what a command uses when no model is named."""
    return [
        f"`{status.spec.name}`{', default' if number == 0 else ''}: {status.state}{_size(status.nbytes)}"
        for number, status in enumerate(statuses)
    ]


def _size(nbytes: int) -> str:
    if not nbytes:
        return ""
    return f", {nbytes / 10**9:.1f} GB" if nbytes >= 10**9 else f", {nbytes / 10**6:.0f} MB"


def _queue(status: QueueStatus) -> str:
    return f"**{status.device}**: {status.running} running, {status.waiting} waiting; {_start(status.eta)}"


def _start(eta: float | None) -> str:
    if eta is None:
        return "how long a new request waits is not known yet"
    return f"a new request starts {f'in about {seconds(eta)}' if eta else 'at once'}"
