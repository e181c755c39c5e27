"""The message on which a menu was opened, stored while a form is open: the bot may be unable to fetch it again."""

from __future__ import annotations

import json
from typing import Any

import discord

from cogs.common.rules import services_of
from cogs.common.target import now
from inference import InvalidRequest

_SECONDS = 900
"""How long a form may be open."""


async def keep_message(interaction: discord.Interaction, message: discord.Message) -> str:
    """Store the message of a menu for a quarter of an hour, and return its id in the table of drafts."""
    data: Any = interaction.data
    payload = json.dumps(data["resolved"]["messages"][str(message.id)])
    drafts = services_of(interaction).store.drafts
    expires = now() + _SECONDS
    return await drafts.keep(interaction.user.id, message.channel.id, None, expires, payload, target="", work="")


async def kept_message(interaction: discord.Interaction, draft_id: str) -> discord.Message:
    """Return the message that `keep_message` stored; raise InvalidRequest if it is gone."""
    stored = await services_of(interaction).store.drafts.get(draft_id)
    if stored is None:
        raise InvalidRequest("This form was open for more than a quarter of an hour. Open it again.")
    channel: Any = interaction.channel
    state = interaction.client._connection  # pyright: ignore[reportPrivateUsage]  # as discord.py does for menus
    message = discord.Message(state=state, channel=channel, data=json.loads(stored.state))
    message.guild = interaction.guild
    return message
