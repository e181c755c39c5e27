"""Helpers for panels of settings: a manager, and the messages of a panel."""

from __future__ import annotations

from typing import cast

import discord
from simcord import InteractionResult, MemberActor, ResponseMessage

from cogs.client import Inkling
from storage import Store
from tests.cogs.stage import Stage


def store_of(stage: Stage) -> Store:
    return cast(Inkling, stage.bot).store


def manager(stage: Stage) -> MemberActor:
    """Return a new member who may manage the server and nothing else."""
    role = stage.guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    return stage.guild.add_member(stage.env.create_user("carol"), roles=[role])


def panel(result: InteractionResult) -> ResponseMessage:
    """Return the private panel that a command opened."""
    assert result.response is not None, result
    assert result.response.ephemeral
    return result.response


def private_text(result: InteractionResult) -> str:
    """Return the text of the private message after a press."""
    [message] = result.followups or [result.response]
    assert message is not None
    assert message.ephemeral
    return message.content
