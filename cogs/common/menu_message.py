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
    """Store the message of a menu for a quarter of an hour, and return the id of its form."""
    data: Any = interaction.data
    payload = json.dumps(data["resolved"]["messages"][str(message.id)])
    forms = services_of(interaction).store.opened_forms
    return await forms.keep(interaction.user.id, message.channel.id, message.id, now() + _SECONDS, payload)


async def kept_message(interaction: discord.Interaction, form_id: str) -> discord.Message:
    """Take the message that `keep_message` stored out of storage; raise InvalidRequest if it is gone."""
    payload = await services_of(interaction).store.opened_forms.take(form_id, now())
    if payload is None:
        raise InvalidRequest(
            "This form was open for more than a quarter of an hour, or its message was deleted. Open it again."
        )
    channel: Any = interaction.channel
    state = interaction.client._connection  # pyright: ignore[reportPrivateUsage]  # as discord.py does for menus
    message = discord.Message(state=state, channel=channel, data=json.loads(payload))
    message.guild = interaction.guild
    return message
