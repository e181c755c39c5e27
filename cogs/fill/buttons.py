"""The buttons below a filled text: each carries its words, so that they work after a restart and nothing is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord

from cogs.common import MessageContent
from cogs.common.button_responder import ButtonResponder
from cogs.common.message_splitting import PART_LIMIT
from cogs.fill.rendering import candidates, label, with_words
from inference import FillMaskResult, InvalidRequest

if TYPE_CHECKING:
    from cogs.client import Inkling

Button = discord.ui.Button[discord.ui.View]

_MOST = 5
"""What fits into a row."""


class FillButton(discord.ui.DynamicItem[Button], template=r"inkling:fill:(?P<owner>\d+):(?P<words>.+)"):
    """Puts its words into the blanks, for the person who asked."""

    def __init__(self, button: Button, owner: int, words: tuple[str, ...]) -> None:
        super().__init__(button)
        self._owner = owner
        self._words = words

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(cast(Button, item), int(match["owner"]), tuple(match["words"].split()))

    async def callback(self, interaction: discord.Interaction) -> None:
        bot = cast("Inkling", interaction.client)
        assert interaction.message is not None, "buttons are below messages"
        async with bot.sessions.open(ButtonResponder(interaction)) as session:
            if interaction.user.id != self._owner:
                raise InvalidRequest("Only the person who asked can choose the words. Use /fill with your own text.")
            await session.acknowledge()
            content = with_words(interaction.message.content, self._words)
            await session.finish(MessageContent(content), _chosen(interaction.message, self.custom_id))


def fill_buttons(owner: int, filling: FillMaskResult, content: MessageContent) -> discord.ui.View | None:
    """A button for each of the best choices, the best one pressed.

    None where a press could not change the whole text, since with some of the words it takes several messages.
    """
    rows = [words for words, _ in candidates(filling)][:_MOST]
    if not rows or any(len(with_words(content.text, words)) > PART_LIMIT for words in rows):
        return None
    return _view([(label(words), _id(owner, words)) for words in rows], chosen=0)


def _chosen(message: discord.Message, custom_id: str) -> discord.ui.View:
    """The buttons below `message`, with another one pressed."""
    buttons = [
        (button.label or "", button.custom_id or "")
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for button in row.children
        if isinstance(button, discord.Button)
    ]
    return _view(buttons, chosen=[identity for _, identity in buttons].index(custom_id))


def _view(buttons: list[tuple[str, str]], chosen: int) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for number, (text, custom_id) in enumerate(buttons):
        style = discord.ButtonStyle.primary if number == chosen else discord.ButtonStyle.secondary
        view.add_item(discord.ui.Button(label=text, custom_id=custom_id, style=style))
    view.stop()  # presses are not for this object, which the next restart would end
    return view


def _id(owner: int, words: tuple[str, ...]) -> str:
    return f"inkling:fill:{owner}:{' '.join(words)}"
