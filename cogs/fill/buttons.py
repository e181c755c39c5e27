"""The buttons below a filled text. Their ids hold the words, so they work after a restart without storage."""

from __future__ import annotations

from collections.abc import Iterable

import discord

from cogs.common import MessageContent, ReplySession
from cogs.common.message_splitting import PART_LIMIT
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id, persistent_view
from cogs.fill.rendering import candidates, label, with_words
from cogs.i18n import gettext_noop
from inference import FillMaskResult

_MOST = 5
"""The most buttons in a row."""


class FillButton(PersistentItem, template=custom_id("fill", r"(?P<owner>\d+)", "(?P<words>.+)")):
    """A button that puts its words into the blanks, for the person who asked."""

    not_yours = gettext_noop("Only the person who asked can choose the words. Use /fill with your own text.")

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        await session.acknowledge()
        content = with_words(message.content, self.match["words"].split())
        await session.finish(MessageContent(content), _chosen(message, self.custom_id))


def fill_buttons(owner: int, result: FillMaskResult, content: MessageContent) -> discord.ui.View | None:
    """Return a button for each of the best choices, with the best one selected.

    Return None if the text may need several messages, since a press can change only one.
    """
    rows = [words for words, _ in candidates(result)][:_MOST]
    if not rows or any(len(with_words(content.text, words)) > PART_LIMIT for words in rows):
        return None
    buttons = [(label(words), custom_id("fill", owner, " ".join(words))) for words in rows]
    return _view(buttons, chosen=buttons[0][1])


def _chosen(message: discord.Message, chosen: str) -> discord.ui.View:
    """Return the buttons below `message`, with `chosen` selected."""
    rows = (row.children for row in message.components if isinstance(row, discord.ActionRow))
    buttons = (button for row in rows for button in row if isinstance(button, discord.Button))
    return _view(((button.label or "", button.custom_id or "") for button in buttons), chosen)


def _view(buttons: Iterable[tuple[str, str]], chosen: str) -> discord.ui.View:
    """Return a view of buttons from their labels and ids."""
    primary, secondary = discord.ButtonStyle.primary, discord.ButtonStyle.secondary
    return persistent_view(
        *(
            discord.ui.Button(label=text, custom_id=each, style=primary if each == chosen else secondary)
            for text, each in buttons
        )
    )
