"""What the buttons below a text do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import discord

from cogs.common import ReplySession
from cogs.complete.buttons import Action, buttons
from cogs.complete.generation import generate
from cogs.complete.rendering import finished_content
from cogs.complete.reply_chain import foreign_prompt, messages_before_text
from inference import Completion, InvalidRequest
from storage import StoredThread, TextThread

if TYPE_CHECKING:
    from cogs.client import Inkling


@dataclass(frozen=True, slots=True)
class ThreadPress:
    """A button below a text, by its owner."""

    bot: Inkling
    interaction: discord.Interaction
    message: discord.Message
    session: ReplySession
    kept: StoredThread

    @property
    def thread(self) -> TextThread:
        return self.kept.thread

    async def write(self, thread: TextThread, n: int) -> tuple[Completion, str]:
        """What comes next in `thread`, in `n` takes; raises InvalidRequest where nothing does."""
        turns = await messages_before_text(self.bot, self.session, self.message) if thread.follows else ()
        prompt = await foreign_prompt(self.session, self.message) if thread.foreign else thread.request.prompt
        request = replace(thread.request, prompt=prompt, prefill=thread.written, messages=turns, seed=None, n=n)
        completion, why = await generate(self.session, thread, self.session.check(request))
        if not completion.text.strip():
            raise InvalidRequest("The model added nothing this time: to it, the text is complete as it is.")
        return completion, why

    async def show(self, thread: TextThread, why: str = "") -> None:
        """Make the message show `thread` from now on; where that can't be kept, the job shows what was there before."""
        await self.session.acknowledge()
        await self.session.finish(finished_content(thread, why), buttons(self.kept.id, thread))
        await self.bot.store.text_threads.rewrite(self.kept.id, thread)


async def continue_text(pressed: ThreadPress) -> None:
    """One more piece."""
    completion, why = await pressed.write(pressed.thread, pressed.thread.request.n)
    await pressed.show(pressed.thread.with_segment(completion), why)


async def try_another(pressed: ThreadPress) -> None:
    """The last piece in other words; the earlier ones stay within reach."""
    completion, why = await pressed.write(pressed.thread.without_last_segment(), 1)
    await pressed.show(pressed.thread.with_variant(completion), why)


async def undo(pressed: ThreadPress) -> None:
    await pressed.session.acknowledge()
    if len(pressed.thread.segments) < 2:  # the button is older than the text: both are shown anew
        raise InvalidRequest("Nothing is left to undo. To be rid of the text, press Delete.")
    await pressed.show(pressed.thread.without_last_segment())


async def delete(pressed: ThreadPress) -> None:
    await pressed.interaction.response.defer()
    await pressed.interaction.delete_original_response()
    await pressed.bot.store.text_threads.forget(pressed.kept.id)


async def show_previous(pressed: ThreadPress) -> None:
    await _turn_page(pressed, -1)


async def show_next(pressed: ThreadPress) -> None:
    await _turn_page(pressed, 1)


async def _turn_page(pressed: ThreadPress, by: int) -> None:
    await pressed.show(pressed.thread.showing_variant(pressed.thread.segments[-1].shown + by))


ACTIONS: dict[Action, Callable[[ThreadPress], Awaitable[None]]] = {
    "continue": continue_text,
    "another": try_another,
    "undo": undo,
    "delete": delete,
    "previous": show_previous,
    "next": show_next,
}
