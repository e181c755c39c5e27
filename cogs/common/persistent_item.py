"""Buttons and menus that last: they work after a restart, for as long as their message is there."""

from __future__ import annotations

import contextlib
import re
from typing import Any, ClassVar, Protocol, Self, cast

import discord

from cogs.common.reply_session import ReplySession
from cogs.common.reply_sessions import ReplySessions
from cogs.common.responder import ButtonResponder, Responder
from inference import InvalidRequest

Item = discord.ui.Item[discord.ui.View]
Button = discord.ui.Button[discord.ui.View]


class PersistentItem(discord.ui.DynamicItem[Item], template="inkling:"):
    """A button or a menu whose custom id says all that a press needs to know; `match` is what the template found in it.

    A press is checked from memory and acknowledged at once, since Discord waits for three seconds: only then may it
    read from storage. The exception is a press that opens a form, which has to be the first response. An `owner` in the
    template is the id of the only person who may press; others are told `not_yours`.
    """

    not_yours: ClassVar[str] = ""

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
    def busy(self) -> str:
        """What to tell who presses while an earlier press is at work below the message; empty if both may work."""
        return ""

    def responder(self, interaction: discord.Interaction) -> Responder:
        """Return where the reply goes: by default, into the message of the button."""
        return ButtonResponder(interaction)

    def check(self, interaction: discord.Interaction) -> None:
        """Refuse what can be refused from memory; raise InvalidRequest."""
        if owner := self.match.groupdict().get("owner"):
            self.check_owner(interaction, int(owner))

    def check_owner(self, interaction: discord.Interaction, owner: int) -> None:
        """Raise InvalidRequest unless `owner` presses."""
        if interaction.user.id != owner:
            raise InvalidRequest(self.not_yours)

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        """Do what the press asks for; `message` is the one that the button or menu is below."""
        raise NotImplementedError

    async def callback(self, interaction: discord.Interaction) -> None:
        assert interaction.message is not None, "buttons are below messages"
        sessions = cast(_Client, interaction.client).sessions
        async with sessions.open(self.responder(interaction)) as session:
            self.check(interaction)
            with sessions.claim(interaction.message.id, self.busy) if self.busy else contextlib.nullcontext():
                if not self.opens_form:
                    await interaction.response.defer()
                await self.press(session, interaction, interaction.message)


class _Client(Protocol):
    @property
    def sessions(self) -> ReplySessions: ...


def custom_id(feature: str, *parts: object) -> str:
    """Return `inkling:<feature>:…`, the id of a button or menu; with patterns as parts, the template of such ids."""
    return ":".join(["inkling", feature, *map(str, parts)])


def chosen_values(interaction: discord.Interaction) -> list[str]:
    """Return what was chosen in a menu; nothing for a button."""
    data: Any = interaction.data
    return list(data.get("values", ()))


def persistent_view(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """Return a view to send with a message; the presses are for `PersistentItem`, which a restart does not end."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()  # discord.py need not keep this object
    return view
