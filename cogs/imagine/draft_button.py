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
from cogs.imagine.draft_rendering import Draft, draft_content, draft_view, toggled
from cogs.imagine.drafts import DraftedJobs
from cogs.imagine.service import DrawingJob
from inference import InvalidRequest, from_json, to_json


class DraftButton(PersistentItem, template=custom_id("draft", "(?P<part>[^:]+)", r"(?P<draft>[\w-]+)")):
    """A button below a private question: `part` is draw, cancel, or a part of the picture to choose."""

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        match self.match["part"]:
            case "draw":
                await self._draw(session, interaction)
            case "cancel":
                await bot_of(interaction).store.drafts.forget(self.match["draft"])
                await _close(interaction, tr("Nothing was drawn."))
            case part:
                await self._choose(interaction, part)

    async def _choose(self, interaction: discord.Interaction, part: str) -> None:
        """Select or deselect a part, and show what is chosen now."""
        bot, draft_id = bot_of(interaction), self.match["draft"]
        stored = await bot.store.drafts.change(draft_id, lambda state: _with_part(state, part))
        if stored is None:
            raise _gone()
        draft = from_json(stored.state, Draft)
        content = await draft_content(draft, bot.config.limits.upload_megapixels)
        await interaction.edit_original_response(
            content=content.text, attachments=[file.file() for file in content.files], view=draft_view(draft_id, draft)
        )

    async def _draw(self, session: ReplySession, interaction: discord.Interaction) -> None:
        """Draw each job in a new public message, and close the question."""
        bot, draft_id = bot_of(interaction), self.match["draft"]
        jobs = await _jobs(bot, draft_id)
        session.check_rules()
        session.check_server_limit(len(jobs))
        target = FollowupResponder.of(interaction).target
        if not await sessions_of(interaction).begin(bot, draft_id, target, jobs):
            raise _gone()  # pressed twice
        await _close(interaction, tr("The result comes in a new message."))


async def _jobs(bot: Inkling, draft_id: str) -> Sequence[DrawingJob]:
    """Return the jobs of a draft, with the chosen region; raise InvalidRequest if it is gone."""
    stored, work = await bot.store.drafts.get(draft_id), await bot.store.drafts.work_of(draft_id)
    if stored is None or not work:
        raise _gone()
    jobs = (await asyncio.to_thread(from_json, work, DraftedJobs)).jobs
    region = from_json(stored.state, Draft).region
    if not region:
        return jobs
    return [replace(job, checked=bot.engine.with_inputs(job.checked, region=region)) for job in jobs]


def _with_part(state: str, part: str) -> str:
    draft = from_json(state, Draft)
    return to_json(replace(draft, region=toggled(draft.region, part)))


def _gone() -> InvalidRequest:
    return InvalidRequest("You have answered this already, or more than ten minutes have passed. Ask again.")


async def _close(interaction: discord.Interaction, text: str) -> None:
    await interaction.edit_original_response(content=text, view=None, attachments=[])
