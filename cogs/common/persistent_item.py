"""Persistent buttons and menus: they work after a restart, as long as their message exists."""

from __future__ import annotations

import contextlib
import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol, Self, cast

import discord

from cogs.common.access import check_access
from cogs.common.reply_session import ReplySession
from cogs.common.reply_sessions import ReplySessions
from cogs.common.responder import ButtonResponder, Responder
from cogs.common.rules import services_of
from inference import InvalidRequest

Item = discord.ui.Item[discord.ui.View]


class PersistentItem(discord.ui.DynamicItem[Item], ABC, template="inkling:"):
    """A button or a menu whose custom id holds everything that a press needs; `match` is the template's match of it.

    A press is checked without storage and acknowledged at once, since Discord waits only three seconds; it may read
    from storage after that. The exception is a press that opens a form, which must be the first response. An `owner` in
    the template is the id of the only person who may press; others get the message `not_yours`.
    """

    not_yours: ClassVar[str] = ""
    for_everybody: ClassVar[bool] = False
    """Whether it also works for people who are blocked, and in places that are not served."""

    def __init__(self, item: Item, match: re.Match[str]) -> None:
        super().__init__(item)
        self.match = match

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(item, match)

    @property
    def opens_form(self) -> bool:
        """Whether the press opens a form, and so is not acknowledged."""
        return False

    @property
    def begins_request(self) -> bool:
        """Whether the press asks a model, or for a new message, and so must not be lost if the process ends."""
        return False

    @property
    def busy(self) -> str:
        """The message for a press while an earlier one is still running; empty if both may run at once."""
        return ""

    def responder(self, interaction: discord.Interaction) -> Responder:
        """Return where the reply goes: by default, into the message of the button."""
        return ButtonResponder.of(interaction)

    def check(self, interaction: discord.Interaction) -> None:
        """Raise InvalidRequest if the press is refused; use no storage."""
        if owner := self.match.groupdict().get("owner"):
            self.check_owner(interaction, int(owner))

    def check_owner(self, interaction: discord.Interaction, owner: int) -> None:
        """Raise InvalidRequest unless `owner` presses."""
        if interaction.user.id != owner:
            raise InvalidRequest(self.not_yours)

    @abstractmethod
    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        """Do the work of the button or menu, which belongs to `message`."""

    async def callback(self, interaction: discord.Interaction) -> None:
        assert interaction.message is not None, "buttons are below messages"
        sessions = sessions_of(interaction)
        async with sessions.open(self.responder(interaction)) as session:
            if not self.for_everybody:
                check_access(interaction, services_of(interaction))
            self.check(interaction)
            with sessions.claim(interaction.message.id, self.busy) if self.busy else contextlib.nullcontext():
                if self.begins_request:
                    await session.store()
                if not self.opens_form:
                    await interaction.response.defer()
                await self.press(session, interaction, interaction.message)


class _Client(Protocol):
    @property
    def sessions(self) -> ReplySessions: ...


def sessions_of(interaction: discord.Interaction) -> ReplySessions:
    """Return the sessions of the bot that the interaction is with."""
    return cast(_Client, interaction.client).sessions


def chosen_values(interaction: discord.Interaction) -> list[str]:
    """Return what was chosen in a menu; nothing for a button."""
    data: Any = interaction.data
    return list(data.get("values", ()))
