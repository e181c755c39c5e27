"""A server whose admin Olga also owns the bot's application, and helpers for her panel."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import discord
from simcord import InteractionResult, MemberActor, ResponseMessage

from cogs.client import Inkling
from tests.cogs.stage import Stage, first


def operator(stage: Stage) -> MemberActor:
    """Return Olga. SimCord's application belongs to nobody in its servers, so it is told about her."""
    role = stage.guild.create_role("admins", permissions=discord.Permissions(administrator=True))
    olga = stage.guild.add_member(stage.env.create_user("olga"), roles=[role])
    application = SimpleNamespace(team=None, owner=SimpleNamespace(id=olga.id))

    async def application_info() -> Any:
        return application

    stage.bot.application_info = application_info
    return olga


def bot_of(stage: Stage) -> Inkling:
    """Return the bot of the stage."""
    assert isinstance(stage.bot, Inkling)
    return stage.bot


async def panel(stage: Stage, olga: MemberActor) -> ResponseMessage:
    """Return the panel, which Olga opens."""
    shown = first(await olga.slash(stage.channel, "operator"))
    assert shown.ephemeral
    return shown


def last_line(shown: ResponseMessage) -> str:
    """Return what the panel says was done last."""
    return shown.content.splitlines()[-1]


def only_followup(result: InteractionResult) -> ResponseMessage:
    """Return the only new message of a press, which is private."""
    [message] = result.followups
    assert message.ephemeral
    return message
