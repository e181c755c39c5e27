"""What the panels' controls do, after a restart too."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import discord

from cogs.common import InteractionResponder
from cogs.common.rules import settings_of
from cogs.i18n.locale import use_locale_of
from cogs.settings.limits_form import LimitsForm
from cogs.settings.panel import CUSTOM_ID, NONE, Scope
from cogs.settings.panel_message import panel_message
from inference import InvalidRequest
from storage import PersonSettings, ServerSettings

if TYPE_CHECKING:
    from cogs.client import Inkling

Item = discord.ui.Item[discord.ui.View]

_FRESH = datetime.timedelta(minutes=15)
"""Discord checks who may use a command when it is used. Who may not any more should not have the panel for long."""

S = TypeVar("S", ServerSettings, PersonSettings)


class PanelControl(discord.ui.DynamicItem[Item], template=CUSTOM_ID):
    """Any control of any panel."""

    def __init__(self, item: Item, whose: Scope, what: str, task: str | None) -> None:
        super().__init__(item)
        self._whose: Scope = whose
        self._what = what
        self._task: str | None = task

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(cast(Item, item), cast(Scope, match["whose"]), match["what"], match["task"])

    async def callback(self, interaction: discord.Interaction) -> None:
        bot = cast("Inkling", interaction.client)
        async with bot.sessions.open(InteractionResponder(interaction, private=True)):
            if self._whose == "server":
                _check_fresh(interaction)
            if self._what == "limits":
                server = bot.store.settings.server(interaction.guild_id)
                await interaction.response.send_modal(LimitsForm(server, bot.config.limits))
            else:
                await interaction.response.defer()
                task = await self._do(interaction, _values(interaction))
                use_locale_of(interaction, bot.store.settings)  # the language may be what was chosen
                await interaction.edit_original_response(**panel_message(interaction, self._whose, task))

    async def _do(self, interaction: discord.Interaction, values: Sequence[str]) -> str | None:
        """Change something; returns the task whose models are shown after that."""
        if self._what == "task":
            return values[0]
        settings, what, task = settings_of(interaction), self._what, self._task
        if self._whose == "mine":
            await settings.people.change(interaction.user.id, lambda now: with_choice(now, what, task, values))
        else:
            assert interaction.guild_id is not None, "the panel is for servers"
            await settings.servers.change(interaction.guild_id, lambda now: with_choice(now, what, task, values))
        return task


def with_choice(settings: S, what: str, task: str | None, values: Sequence[str]) -> S:
    """`settings` after the control `what` was given `values`."""
    fields: dict[str, Any] = {}
    match what:
        case "reset":
            return type(settings)()
        case "private" | "public":
            fields["private"] = what == "private"
        case "language":
            fields["language"] = "" if values[0] == NONE else values[0]
        case "model":
            others = {name: model for name, model in settings.models.items() if name != task}
            fields["models"] = others if values[0] == NONE else {**others, str(task): values[0]}
        case _:
            fields[what] = tuple(map(int, values))
    return replace(settings, **fields)


def _check_fresh(interaction: discord.Interaction) -> None:
    assert interaction.message is not None, "controls are below messages"
    if interaction.created_at - interaction.message.created_at > _FRESH:
        raise InvalidRequest("This panel is from a while ago. Use /server-settings again for a new one.")


def _values(interaction: discord.Interaction) -> list[str]:
    """What was chosen in a select; nothing for a button."""
    data: Any = interaction.data
    return list(data.get("values", ()))
