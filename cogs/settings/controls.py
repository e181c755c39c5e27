"""The controls of the panels, which also work after a restart."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import discord

from cogs.client import Inkling, bot_of
from cogs.common import ReplySession
from cogs.common.persistent_item import PersistentItem, chosen_values
from cogs.common.persistent_view import custom_id
from cogs.common.rules import origin_of
from cogs.i18n.locale import use_locale_of
from cogs.settings.limits_form import LimitsForm
from cogs.settings.panel import ANOTHER, NONE, Scope, panel_message
from cogs.settings.persona_form import PersonaForm
from cogs.settings.quotas_form import QuotasForm
from cogs.settings.server_form import ServerForm
from inference import InvalidRequest
from storage import PersonSettings, ServerSettings, SettingsTables

_FRESH = datetime.timedelta(minutes=15)
"""The time a server's panel works, since Discord checks the permission only when the command is used."""

S = TypeVar("S", ServerSettings, PersonSettings)


class PanelControl(
    PersistentItem,
    template=custom_id("settings", "(?P<scope>mine|server)", r"(?P<what>[a-z]+)") + "(?::(?P<task>[a-z]+))?",
):
    """A control of a panel. Those for limits, quotas and the persona open a form."""

    @property
    def opens_form(self) -> bool:
        return self.match["what"] in ("limits", "quotas", "persona")

    def check(self, interaction: discord.Interaction) -> None:
        assert interaction.message is not None, "controls are below messages"
        if self.match["scope"] == "server" and interaction.created_at - interaction.message.created_at > _FRESH:
            raise InvalidRequest("This panel is from a while ago. Use /server-settings again for a new one.")

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        bot = bot_of(interaction)
        if self.opens_form:
            await interaction.response.send_modal(self._form(bot, interaction))
            return
        task = await self._change(bot.store.settings, interaction)
        use_locale_of(interaction, bot.store.settings)  # the language may have changed
        scope = cast(Scope, self.match["scope"])
        await interaction.edit_original_response(**panel_message(interaction, scope, task))

    def _form(self, bot: Inkling, interaction: discord.Interaction) -> ServerForm:
        server = bot.store.settings.server(interaction.guild_id)
        match self.match["what"]:
            case "limits":
                return LimitsForm(server, bot.config.limits)
            case "quotas":
                return QuotasForm(server, bot.config.quotas)
            case _:
                return PersonaForm(server, origin_of(interaction).channel or 0)

    async def _change(self, settings: SettingsTables, interaction: discord.Interaction) -> str | None:
        """Change a setting; return the task whose models to show next."""
        what, task, values = self.match["what"], self.match["task"], chosen_values(interaction)
        if what == "task":
            return values[0]
        if what == "model" and values[0] == ANOTHER:
            return None
        if self.match["scope"] == "mine":
            await settings.people.change(interaction.user.id, lambda now: with_choice(now, what, task, values))
        else:
            assert interaction.guild_id is not None, "the panel is for servers"
            await settings.servers.change(interaction.guild_id, lambda now: with_choice(now, what, task, values))
        return task


def with_choice(settings: S, what: str, task: str | None, values: Sequence[str]) -> S:
    """Return `settings` changed by `values` of the control `what`."""
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
