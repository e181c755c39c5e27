"""What admins may do, and what they are told."""

from __future__ import annotations

import discord

from cogs.i18n import gettext_noop
from inference import InvalidRequest

BUSY = gettext_noop("Another admin has just pressed a button here. Look again in a moment.")
"""For a press while another one changes the same report."""


def check_admin(interaction: discord.Interaction) -> None:
    """Raise InvalidRequest unless the person may manage the server."""
    if not interaction.permissions.manage_guild:
        raise InvalidRequest("Only people who may manage this server can do that. Ask one of its admins.")
