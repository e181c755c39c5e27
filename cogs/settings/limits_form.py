"""The form for a server's limits."""

from __future__ import annotations

import re
from dataclasses import replace

import discord

from cogs.client import bot_of
from cogs.common.persistent_form import Typed
from cogs.common.persistent_view import custom_id
from cogs.common.rules import SERVER_LIMITS
from cogs.i18n import tr
from cogs.settings.server_form import Change, ServerForm
from cogs.settings.texts import limit_name
from inference import InvalidRequest, Limits
from storage import ServerSettings

_ID = custom_id("limits")


class LimitsForm(ServerForm, template=_ID):
    """A form with a number for each limit; an empty field means the operator's limit."""

    def __init__(self, settings: ServerSettings, limits: Limits) -> None:
        super().__init__(tr("Limits of this server"), _ID)
        for name in SERVER_LIMITS:
            value, most = getattr(settings, name), getattr(limits, name)
            about = tr("1 to {most}; empty for {most}, as the bot's operator says", most=most)
            self.add_line(name, None if value is None else str(value), about, max_length=9)

    @classmethod
    def change(cls, interaction: discord.Interaction, typed: Typed) -> Change:
        limits = bot_of(interaction).config.limits
        numbers = {name: _number(name, typed[name].strip(), getattr(limits, name)) for name in SERVER_LIMITS}
        return lambda server: replace(server, **numbers)


def _number(name: str, typed: str, most: int) -> int | None:
    """Return the typed number, None for an empty field; raise InvalidRequest."""
    if not typed:
        return None
    if not re.fullmatch(r"\d{1,9}", typed, re.ASCII) or not 1 <= int(typed) <= most:
        raise InvalidRequest(
            "{limit}: this must be a whole number from 1 to {most}, or empty. Nothing was changed.",
            limit=limit_name(name),
            most=most,
        )
    return int(typed)
