"""Replies such as `@Inkling summarize`: the commands without a slash, about the message that is replied to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discord.ext import commands

from cogs.about import help_text
from cogs.ask import Question, gather_by_reply, tell_answer
from cogs.caption import tell_captions
from cogs.complete import tell_completion
from cogs.mood import tell_mood
from cogs.reply import Job, MessagePlace, Page
from cogs.reply.sources import pictures, pointed_at, text_of_message
from cogs.summarize import tell_summary
from inference import CompleteRequest, InvalidRequest, SentimentRequest, SummarizeRequest

if TYPE_CHECKING:
    from cogs.client import Inkling

Context = commands.Context[Any]


class Mention(commands.Cog):
    """The bot's name, then a command's."""

    def __init__(self, bot: Inkling) -> None:
        self.bot = bot

    @commands.command()
    async def summarize(self, context: Context, *, text: str = "") -> None:
        """Summarize the message, or the text that follows."""
        async with self._job(context) as job:
            source = await self._text(job, context, text)
            await tell_summary(job, source, SummarizeRequest(text=source, owner=_owner(context)))

    @commands.command()
    async def ask(self, context: Context, *, question: str = "") -> None:
        """Ask about the message, about the files of this one, or a language model."""
        async with self._job(context) as job:
            source = await gather_by_reply(job, context.message)
            await tell_answer(job, self.bot.recent, Question(question), source)

    @commands.command()
    async def caption(self, context: Context) -> None:
        """Describe the pictures of the message, or of this one."""
        async with self._job(context) as job:
            target = await pointed_at(context.message) or context.message
            await tell_captions(job, pictures(target), _owner(context))

    @commands.command()
    async def mood(self, context: Context, *, text: str = "") -> None:
        """Tell the mood of the message, or of the text that follows."""
        async with self._job(context) as job:
            source = await self._text(job, context, text)
            await tell_mood(job, SentimentRequest(text=source, owner=_owner(context)))

    @commands.command()
    async def complete(self, context: Context, *, prompt: str = "") -> None:
        """Continue the message, or the text that follows."""
        async with self._job(context) as job:
            source = await self._text(job, context, prompt)
            await tell_completion(job, self.bot.store.completions, CompleteRequest(prompt=source, owner=_owner(context)))

    @commands.command()
    async def help(self, context: Context) -> None:
        """Show what the bot can do."""
        async with self._job(context) as job:
            await job.acknowledge()
            await job.finish(Page(help_text(self.bot)))

    def _job(self, context: Context) -> Job:
        return self.bot.jobs.open(MessagePlace(context.message, str(context.command)))

    async def _text(self, job: Job, context: Context, text: str) -> str:
        """What the command is about: the message replied to, else what follows the command."""
        if target := await pointed_at(context.message):
            return await text_of_message(job, target)
        if not text:
            raise InvalidRequest(
                f"Reply to a message with `@Inkling {context.invoked_with}`, so that I know which one you mean."
            )
        return text


def _owner(context: Context) -> str:
    return str(context.author.id)
