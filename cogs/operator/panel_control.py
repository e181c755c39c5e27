"""The controls of the operator's panel."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Sequence

import discord

from cogs.client import bot_of
from cogs.common import ReplySession
from cogs.common.delivery import DELIVERY
from cogs.common.persistent_item import PersistentItem, chosen_values
from cogs.common.persistent_view import custom_id
from cogs.i18n import tr
from cogs.operator.actions import OnProgress, OperatorActions, actions_of, check_operator
from cogs.operator.block_form import BlockForm
from cogs.operator.failures import Failure
from cogs.operator.panel import blocks_message, code_of, failures_message, panel_message, servers_message
from inference import InvalidRequest

log = logging.getLogger(__name__)

_EDIT_PAUSE = 2.0
"""Seconds between two edits that show the progress of a download."""


class OperatorControl(PersistentItem, template=custom_id("operator", "(?P<what>[a-z]+)") + "(?::(?P<about>.+))?"):
    """A button or a menu of the panel, or of the lists that it opens."""

    @property
    def opens_form(self) -> bool:
        return self.match["what"] == "block"

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        bot, what, values = bot_of(interaction), self.match["what"], chosen_values(interaction)
        actions = actions_of(bot)
        await check_operator(bot, interaction.user.id)
        match what:
            case "failures":
                await interaction.followup.send(**failures_message(actions.failures()), ephemeral=True)
            case "failure":
                await _send_failure(interaction, actions.failures(), int(values[0]))
            case "servers":
                await interaction.followup.send(**servers_message(bot, actions), ephemeral=True)
            case "server":
                await interaction.edit_original_response(**servers_message(bot, actions, int(values[0])))
            case "leave":
                left = await actions.leave(int(self.match["about"]))
                await interaction.edit_original_response(content=left, view=None)
            case "blocks":
                await interaction.followup.send(**blocks_message(actions.blocks()), ephemeral=True)
            case "block":
                await interaction.response.send_modal(BlockForm())
            case "unblock":
                kind, _, number = values[0].partition(" ")
                note = await actions.unblock("person" if kind == "person" else "server", int(number))
                await interaction.edit_original_response(**blocks_message(actions.blocks(), note))
            case _:
                await self._change(interaction, actions, what, values)

    async def _change(
        self, interaction: discord.Interaction, actions: OperatorActions, what: str, values: list[str]
    ) -> None:
        """Do what a control of the panel itself says, and show the panel with what was done."""
        bot, model = bot_of(interaction), self._model(interaction)
        match what:
            case "model":
                model, note = values[0], ""
            case "load":
                note = await self._with_progress(interaction, lambda progress: actions.load(model, progress))
            case "download":
                note = await self._with_progress(interaction, lambda progress: actions.download(model, progress))
            case "unload":
                note = await actions.unload(model)
            case "pause" | "resume":
                note = actions.pause(what == "pause")
            case "drain" | "accept":
                note = actions.drain(what == "drain")
            case "reload":
                note = await actions.reload()
            case _:
                note = ""
        try:
            await interaction.edit_original_response(**panel_message(bot, actions, model, note))
        except DELIVERY as error:  # a download may take longer than Discord lets the panel be changed
            log.warning("the operator's panel could not be changed; what was done: %s (%s)", note, error)

    def _model(self, interaction: discord.Interaction) -> str:
        """Return the name of the chosen model; empty if none is, or if it is not listed any more."""
        names = (spec.name for _, spec in bot_of(interaction).config.listed())
        return next((name for name in names if code_of(name) == self.match["about"]), "")

    async def _with_progress(
        self, interaction: discord.Interaction, work: Callable[[OnProgress], Awaitable[str]]
    ) -> str:
        """Return the result of `work`, and show its progress in the panel meanwhile."""
        bot, actions, model = bot_of(interaction), actions_of(interaction.client), self._model(interaction)
        latest: list[float | None] = [None]

        def progress(fraction: float | None) -> None:
            latest[0] = fraction

        task = asyncio.ensure_future(work(progress))
        while not (await asyncio.wait([task], timeout=_EDIT_PAUSE))[0]:
            share = f" {latest[0]:.0%}" if latest[0] is not None else ""
            note = tr("Working on {model} …{share}", model=model, share=share)
            try:
                await interaction.edit_original_response(**panel_message(bot, actions, model, note))
            except DELIVERY as error:
                log.info("the operator's panel could not be changed: %s", error)
        return task.result()


async def _send_failure(interaction: discord.Interaction, failures: Sequence[Failure], number: int) -> None:
    failure = next((failure for failure in failures if failure.number == number), None)
    if not failure:
        raise InvalidRequest("This failure is not among the last ones any more. Open the list again.")
    file = discord.File(io.BytesIO(failure.text.encode()), "failure.txt")
    await interaction.followup.send(f"`{failure.message[:1900]}`", file=file, ephemeral=True)
