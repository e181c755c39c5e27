"""A question to the person who asked, before anything is drawn."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import discord

from cogs.imagine.begin import Tell, draw_all
from cogs.language import ntr, tr
from cogs.reply import Job, Jobs, Page, quoted
from cogs.reply.errors import DELIVERY
from cogs.reply.view import View
from inference import ImagineRequest

log = logging.getLogger(__name__)

_SECONDS = 600
"""An answer's token ends after 15 minutes, and with it the way to say that it is too late."""


class Question(View):
    """[Draw] and [Cancel] below a message that only one person sees; [Draw] draws each request in public."""

    def __init__(
        self, jobs: Jobs, interaction: discord.Interaction, requests: Sequence[ImagineRequest], tell: Tell
    ) -> None:
        super().__init__(timeout=_SECONDS)
        self._jobs = jobs
        self._tell = tell
        self._requests = requests
        self._region = requests[0].region
        self._latest = interaction
        self.draw.label = ntr("Draw", "Draw {count}", len(requests), count=len(requests))
        self.cancel.label = tr("Cancel")

    def page(self) -> Page:
        """What the message says above the buttons."""
        return Page("\n".join([jobs_line(self._requests), *(quoted(request.prompt) for request in self._requests)]))

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        self._latest = interaction
        return await super().interaction_check(interaction)

    async def on_timeout(self) -> None:
        self._let_go()
        try:
            await self._latest.edit_original_response(
                content=tr("You took no choice for ten minutes, so nothing was drawn."), view=None, attachments=[]
            )
        except DELIVERY as error:
            log.info("a question could not be closed: %s", error)

    @discord.ui.button(style=discord.ButtonStyle.primary, row=4)
    async def draw(self, interaction: discord.Interaction, _: discord.ui.Button[Self]) -> None:
        requests = [replace(request, region=self._region) for request in self._requests]
        await self._close(interaction, tr("What is drawn comes in a message of its own."))
        await draw_all(self._jobs, interaction, requests, self._tell)

    @discord.ui.button(row=4)
    async def cancel(self, interaction: discord.Interaction, _: discord.ui.Button[Self]) -> None:
        await self._close(interaction, tr("Nothing was drawn."))

    def _let_go(self) -> None:
        """Pictures are large, and nobody knows for how long the view stays in memory."""
        self._requests = ()

    async def _close(self, interaction: discord.Interaction, text: str) -> None:
        self.stop()
        self._let_go()
        await interaction.response.edit_message(content=text, view=None, attachments=[])


def jobs_line(requests: Sequence[ImagineRequest]) -> str:
    return tr("This makes {count} jobs:", count=len(requests))


async def draw_or_ask(
    job: Job, jobs: Jobs, interaction: discord.Interaction, requests: Sequence[ImagineRequest], tell: Tell
) -> None:
    """One request at once; several after a question, which `job` shows in private."""
    if len(requests) == 1:
        await tell(job, requests[0])
    else:
        question = Question(jobs, interaction, requests, tell)
        await job.finish(question.page(), question)
