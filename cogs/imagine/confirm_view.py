"""A confirmation by the person who asked, before anything is drawn."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Self

import discord

from cogs.common import MessageContent, ReplySession, ReplySessions, quoted
from cogs.common.delivery import DELIVERY
from cogs.common.views import TemporaryView
from cogs.i18n import ntr, tr
from cogs.imagine.preparation import Checked, ShowImage, generate_all

log = logging.getLogger(__name__)

_SECONDS = 600
"""The time to confirm; it ends before the interaction's token does, so that the message can still be edited."""


class ConfirmView(TemporaryView):
    """The buttons [Draw] and [Cancel] below a private message; [Draw] draws each request in public."""

    def __init__(
        self,
        sessions: ReplySessions,
        interaction: discord.Interaction,
        requests: Sequence[Checked],
        show: ShowImage,
    ) -> None:
        super().__init__(timeout=_SECONDS)
        self._sessions = sessions
        self._show = show
        self._requests = requests
        self._latest = interaction
        self.draw.label = ntr("Draw", "Draw {count}", len(requests), count=len(requests))
        self.cancel.label = tr("Cancel")

    def render(self) -> MessageContent:
        """Return the content above the buttons."""
        return MessageContent(
            "\n".join([jobs_line(self._requests), *(quoted(each.request.prompt) for each in self._requests)])
        )

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        self._latest = interaction
        return await super().interaction_check(interaction)

    async def on_timeout(self) -> None:
        self._drop_requests()
        try:
            await self._latest.edit_original_response(
                content=tr("You did not choose within ten minutes, so nothing was drawn."), view=None, attachments=[]
            )
        except DELIVERY as error:
            log.info("an expired confirmation could not be edited: %s", error)

    @discord.ui.button(style=discord.ButtonStyle.primary, row=4)
    async def draw(self, interaction: discord.Interaction, _: discord.ui.Button[Self]) -> None:
        requests = self.chosen()
        await self._close(interaction, tr("The result comes in a new message."))
        await generate_all(self._sessions, interaction, requests, self._show)

    @discord.ui.button(row=4)
    async def cancel(self, interaction: discord.Interaction, _: discord.ui.Button[Self]) -> None:
        await self._close(interaction, tr("Nothing was drawn."))

    def chosen(self) -> Sequence[Checked]:
        """Return what [Draw] draws."""
        return self._requests

    def _drop_requests(self) -> None:
        """Drop the requests, since pictures are large and the view may stay in memory."""
        self._requests = ()

    async def _close(self, interaction: discord.Interaction, text: str) -> None:
        self.stop()
        self._drop_requests()
        await interaction.response.edit_message(content=text, view=None, attachments=[])


def jobs_line(requests: Sequence[Checked]) -> str:
    return tr("This makes {count} jobs:", count=len(requests))


async def generate_or_confirm(
    session: ReplySession,
    sessions: ReplySessions,
    interaction: discord.Interaction,
    requests: Sequence[Checked],
    show: ShowImage,
) -> None:
    """Show a single request at once; ask for confirmation of several in the private message of `session`."""
    if len(requests) == 1:
        await show(session, requests[0])
    else:
        view = ConfirmView(sessions, interaction, requests, show)
        await session.finish(view.render(), view)
