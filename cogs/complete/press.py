"""Presses of the buttons below texts, after a restart too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord

from cogs.common.button_responder import ButtonResponder
from cogs.complete.actions import ACTIONS, ThreadPress
from cogs.complete.buttons import CUSTOM_ID, Action, buttons
from cogs.complete.rendering import finished_content
from inference import InvalidRequest
from storage import StoredThread, TextThreadTable

if TYPE_CHECKING:
    from cogs.client import Inkling
    from cogs.complete import Complete

Button = discord.ui.Button[discord.ui.View]


class ThreadButton(discord.ui.DynamicItem[Button], template=CUSTOM_ID):
    """Any button below any text; each press is a job of its own, one at a time for a text."""

    def __init__(self, button: Button, action: Action, thread_id: str) -> None:
        super().__init__(button)
        self._action: Action = action
        self._story_id = thread_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(cast(Button, item), cast(Action, match["action"]), match["story"])

    async def callback(self, interaction: discord.Interaction) -> None:
        bot = cast("Inkling", interaction.client)
        claims = cast("Complete", bot.get_cog("Complete")).claims
        assert interaction.message is not None, "buttons are below messages"
        async with bot.sessions.open(ButtonResponder(interaction)) as session:
            with claims.claim(self._story_id):
                kept = await _owned_thread(bot.store.text_threads, self._story_id, interaction.user.id)
                session.keep_on_failure(finished_content(kept.thread), buttons(kept.id, kept.thread))
                await ACTIONS[self._action](ThreadPress(bot, interaction, interaction.message, session, kept))


async def _owned_thread(completions: TextThreadTable, thread_id: str, person: int) -> StoredThread:
    """The story, if it is still kept and theirs; raises InvalidRequest."""
    kept = await completions.get(thread_id)
    if kept is None:
        raise InvalidRequest(
            "I no longer know how this was written, so its buttons can do nothing. Use /complete again."
        )
    if kept.owner != person:
        raise InvalidRequest(
            "Only the person who asked for this can use its buttons. To go on from here yourself, reply to the message "
            "with my name and your words."
        )
    return kept
