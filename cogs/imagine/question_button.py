"""The buttons of the question before drawing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import discord

from cogs.client import Inkling, bot_of
from cogs.common import FollowupResponder, ReplySession
from cogs.common.persistent_item import PersistentItem, sessions_of
from cogs.common.persistent_view import custom_id
from cogs.i18n import tr
from cogs.imagine.question import QuestionedJobs
from cogs.imagine.question_rendering import DrawingQuestion, question_content, question_view, toggled
from cogs.imagine.service import DrawingJob
from inference import InvalidRequest, from_json, to_json


class QuestionButton(PersistentItem, template=custom_id("question", "(?P<part>[^:]+)", r"(?P<question>[\w-]+)")):
    """A button below a private question: `part` is draw, cancel, or a part of the picture to choose."""

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        match self.match["part"]:
            case "draw":
                await self._draw(session, interaction)
            case "cancel":
                if not await bot_of(interaction).store.questions.close(self.match["question"]):
                    raise _closed()
                await _show(interaction, tr("Nothing was drawn."))
            case part:
                await self._choose(interaction, part)

    async def _choose(self, interaction: discord.Interaction, part: str) -> None:
        """Select or deselect a part, and show what is chosen now."""
        bot, question_id = bot_of(interaction), self.match["question"]
        stored = await bot.store.questions.change(question_id, lambda state: _with_part(state, part))
        if stored is None:
            raise _closed()
        question = from_json(stored.state, DrawingQuestion)
        content = await question_content(question, stored.picture, bot.config.limits.upload_megapixels)
        view = question_view(question_id, question, with_region=True)
        files = [file.file() for file in content.files]
        await interaction.edit_original_response(content=content.text, attachments=files, view=view)

    async def _draw(self, session: ReplySession, interaction: discord.Interaction) -> None:
        """Draw each job in a new public message, and close the question."""
        bot, question_id = bot_of(interaction), self.match["question"]
        jobs = await _jobs(bot, question_id)
        session.check_rules()
        session.check_server_limit(len(jobs))
        session.check_quotas([job.checked for job in jobs])
        target = FollowupResponder.of(interaction).target
        if not await sessions_of(interaction).begin(bot, question_id, target, jobs):
            raise _closed()  # pressed twice
        await _show(interaction, tr("The result comes in a new message."))


async def _jobs(bot: Inkling, question_id: str) -> Sequence[DrawingJob]:
    """Return the jobs of a question, with the chosen region; raise InvalidRequest if it is closed."""
    stored, work = await bot.store.questions.get(question_id), await bot.store.questions.work_of(question_id)
    if stored is None or not work:
        raise _closed()
    jobs = (await asyncio.to_thread(from_json, work, QuestionedJobs)).complete()
    region = from_json(stored.state, DrawingQuestion).region
    if not region:
        return jobs
    return [replace(job, checked=bot.engine.with_inputs(job.checked, region=region)) for job in jobs]


def _with_part(state: str, part: str) -> str:
    question = from_json(state, DrawingQuestion)
    return to_json(replace(question, region=toggled(question.region, part)))


def _closed() -> InvalidRequest:
    return InvalidRequest("This question is no longer open. Ask again.")


async def _show(interaction: discord.Interaction, text: str) -> None:
    await interaction.edit_original_response(content=text, view=None, attachments=[])
