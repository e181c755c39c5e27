"""Where a reply goes, as plain data: a message that the bot can edit again after a restart."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

import discord

from cogs.common.rules import RequestOrigin, origin_of
from cogs.i18n import current_language
from inference import serializable

_MARGIN = 45.0
"""An interaction's token expires after 15 minutes; the bot stops using it this many seconds earlier."""

TargetKind = Literal["response", "button", "followup", "reply"]
"""The response to a command, the message of a button, a new message after a press, or a reply to a message."""


@serializable
@dataclass(frozen=True, slots=True)
class Target:
    """The message of a reply, and the person who asked, by Discord's ids.

    `message` is None until Discord has named it. A `private` one is seen by the person alone. `asker` mentions the
    person, where Discord does not show who asked. `asked_in` is the message that a reply answers, also if it is
    written again after the press of its button, and `pressed_in` is the message of a button; 0 if there is none. The
    token of the `interaction` `expires` at that time, in seconds since 1970. `request_id` names the request in the log,
    and in the message if it fails.
    """

    kind: TargetKind
    owner: int
    origin: RequestOrigin
    command: str
    channel: int
    message: int | None
    private: bool
    asker: str
    upload_limit: int
    language: str
    menus: str
    asked_in: int = 0
    pressed_in: int = 0
    application: int = 0
    interaction: int = 0
    token: str = ""
    expires: float = 0.0
    request_id: str = ""

    @property
    def has_token(self) -> bool:
        """Whether the token of its interaction is still valid."""
        return bool(self.token) and now() < self.expires - _MARGIN


def now() -> float:
    """Return the time in seconds since 1970."""
    return discord.utils.utcnow().timestamp()


def new_request_id() -> str:
    """Return a new name for a request."""
    return secrets.token_hex(4)


def target_of_interaction(interaction: discord.Interaction, kind: TargetKind, *, private: bool) -> Target:
    """Return the target of a command, menu, form or press, in the current language.

    The message of a button stays as visible as it is, whatever `private` says.
    """
    command = interaction.command
    pressed, by_press = interaction.message, interaction.type is discord.InteractionType.component
    message = pressed if kind == "button" else None
    by_command = interaction.type is discord.InteractionType.application_command
    language, menus = current_language()
    assert interaction.channel_id is not None, "commands and buttons are in channels"
    return Target(
        kind,
        owner=interaction.user.id,
        origin=origin_of(interaction),
        command=command.qualified_name if command else interaction.type.name,
        channel=interaction.channel_id,
        message=message.id if message else None,
        private=message.flags.ephemeral if message else private,
        asker="" if by_command else interaction.user.mention,
        upload_limit=interaction.filesize_limit,
        language=language,
        menus=menus,
        asked_in=((message.reference and message.reference.message_id) or 0) if message else 0,
        pressed_in=pressed.id if pressed and by_press else 0,
        application=interaction.application_id,
        interaction=interaction.id,
        token=interaction.token,
        expires=interaction.expires_at.timestamp(),
        request_id=new_request_id(),
    )


def target_of_message(message: discord.Message, command: str) -> Target:
    """Return the target of a reply to `message`, in the current language. It is always public."""
    guild = message.guild
    language, menus = current_language()
    return Target(
        "reply",
        owner=message.author.id,
        origin=origin_of(message),
        command=command,
        channel=message.channel.id,
        message=None,
        private=False,
        asker="",
        upload_limit=guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES,
        language=language,
        menus=menus,
        asked_in=message.id,
        request_id=new_request_id(),
    )
