"""What the buttons below a text do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import discord

from cogs.complete.buttons import Action, buttons
from cogs.complete.chain import foreign_prompt, turns_before_text
from cogs.complete.page import finished
from cogs.complete.writing import write
from cogs.reply import Job
from inference import Completion, InvalidRequest
from storage import KeptStory, Story

if TYPE_CHECKING:
    from cogs.client import Inkling


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button below a text, by its owner."""

    bot: Inkling
    interaction: discord.Interaction
    message: discord.Message
    job: Job
    kept: KeptStory

    @property
    def story(self) -> Story:
        return self.kept.story

    async def write(self, story: Story, n: int) -> tuple[Completion, str]:
        """What comes next in `story`, in `n` takes; raises InvalidRequest where nothing does."""
        turns = await turns_before_text(self.bot, self.job, self.message) if story.follows else ()
        prompt = await foreign_prompt(self.job, self.message) if story.foreign else story.request.prompt
        request = replace(story.request, prompt=prompt, written=story.written, turns=turns, seed=None, n=n)
        completion, why = await write(self.job, story, request)
        if not completion.text.strip():
            raise InvalidRequest("The model added nothing this time: to it, the text is complete as it is.")
        return completion, why

    async def show(self, story: Story, why: str = "") -> None:
        """Make the message show `story` from now on; where that can't be kept, the job shows what was there before."""
        await self.job.acknowledge()
        await self.job.finish(finished(story, why), buttons(self.kept.id, story))
        await self.bot.store.completions.rewrite(self.kept.id, story)


async def go_on(pressed: Pressed) -> None:
    """One more piece."""
    completion, why = await pressed.write(pressed.story, pressed.story.request.n)
    await pressed.show(pressed.story.continued(completion), why)


async def retell(pressed: Pressed) -> None:
    """The last piece in other words; the earlier ones stay within reach."""
    completion, why = await pressed.write(pressed.story.undone(), 1)
    await pressed.show(pressed.story.retold(completion), why)


async def undo(pressed: Pressed) -> None:
    await pressed.job.acknowledge()
    if len(pressed.story.pieces) < 2:  # the button is older than the text: both are shown anew
        raise InvalidRequest("Nothing is left to undo. To be rid of the text, press Delete.")
    await pressed.show(pressed.story.undone())


async def delete(pressed: Pressed) -> None:
    await pressed.interaction.response.defer()
    await pressed.interaction.delete_original_response()
    await pressed.bot.store.completions.forget(pressed.kept.id)


async def back(pressed: Pressed) -> None:
    await _turn(pressed, -1)


async def forth(pressed: Pressed) -> None:
    await _turn(pressed, 1)


async def _turn(pressed: Pressed, by: int) -> None:
    await pressed.show(pressed.story.turned(pressed.story.pieces[-1].shown + by))


ACTIONS: dict[Action, Callable[[Pressed], Awaitable[None]]] = {
    "continue": go_on,
    "another": retell,
    "undo": undo,
    "delete": delete,
    "previous": back,
    "next": forth,
}
