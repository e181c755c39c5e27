"""A panel as a message: what is settled now, and the controls to change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import discord

from cogs.common.rules import settings_of
from cogs.settings.panel import Scope, person_panel, server_panel
from cogs.settings.texts import of_person, of_server

if TYPE_CHECKING:
    from cogs.client import Inkling


def panel_message(interaction: discord.Interaction, whose: Scope, task: str | None = None) -> dict[str, Any]:
    """Text and view, for a new message or an edit; `task` is the one to choose a model for."""
    engine = cast("Inkling", interaction.client).engine
    if whose == "mine":
        person = settings_of(interaction).person(interaction.user.id)
        return {"content": of_person(person, engine), "view": person_panel(person, engine, task)}
    server = settings_of(interaction).server(interaction.guild_id)
    return {"content": of_server(server, engine), "view": server_panel(server, engine, interaction.guild, task)}
