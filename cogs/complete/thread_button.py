"""The buttons below a text, and what a press of each does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import cast

import discord

from cogs.client import Inkling, bot_of
from cogs.common import ReplySession
from cogs.common.persistent_item import PersistentItem, custom_id
from cogs.complete.rendering import Action, finished_content, thread_buttons
from cogs.complete.reply_chain import foreign_prompt, messages_before_text
from cogs.complete.service import generate
from cogs.i18n import gettext_noop
from inference import Completion, InvalidRequest
from storage import StoredThread, TextThread


class ThreadButton(PersistentItem, template=custom_id("complete", "(?P<action>[a-z]+)", r"(?P<thread>[\w-]+)")):
    """Any button below any text, for its owner."""

    not_yours = gettext_noop(
        "Only the person who asked for this can use its buttons. To go on from here yourself, reply to the message "
        "with my name and your words."
    )

    @property
    def busy(self) -> str:
        return gettext_noop("This text is still being written. Wait until it is done, or press Stop first.")

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        bot = bot_of(interaction)
        stored = await bot.store.text_threads.get(self.match["thread"])
        if stored is None:
            raise InvalidRequest(
                "I no longer know how this was written, so its buttons can do nothing. Use /complete again."
            )
        self.check_owner(interaction, stored.owner)
        session.keep_on_failure(finished_content(stored.thread), thread_buttons(stored.id, stored.thread))
        action = _ACTIONS[cast(Action, self.match["action"])]
        await action(_ThreadPress(bot, interaction, message, session, stored))


@dataclass(frozen=True, slots=True)
class _ThreadPress:
    """A press of a button below a text, by its owner."""

    bot: Inkling
    interaction: discord.Interaction
    message: discord.Message
    session: ReplySession
    stored: StoredThread

    @property
    def thread(self) -> TextThread:
        return self.stored.thread

    async def write(self, thread: TextThread, n: int) -> tuple[Completion, str]:
        """Return what comes next in `thread`, in `n` variants; raise InvalidRequest where nothing does."""
        before = await messages_before_text(self.bot, self.session, self.message) if thread.follows else ()
        prompt = await foreign_prompt(self.session, self.message) if thread.foreign else thread.request.prompt
        request = replace(thread.request, prompt=prompt, prefill=thread.written, messages=before, seed=None, n=n)
        completion, why = await generate(self.session, thread, self.session.check(request))
        if not completion.text.strip():
            raise InvalidRequest("The model added nothing this time: to it, the text is complete as it is.")
        return completion, why

    async def show(self, thread: TextThread, why: str = "") -> None:
        """Show `thread` from now on; where it can't be stored, the session shows again what was there before."""
        await self.session.acknowledge()
        await self.session.finish(finished_content(thread, why), thread_buttons(self.stored.id, thread))
        await self.bot.store.text_threads.rewrite(self.stored.id, thread)


async def _continue_text(press: _ThreadPress) -> None:
    completion, why = await press.write(press.thread, press.thread.request.n)
    await press.show(press.thread.with_segment(completion), why)


async def _try_another(press: _ThreadPress) -> None:
    """Write the last segment in other words; the earlier variants stay within reach."""
    completion, why = await press.write(press.thread.without_last_segment(), 1)
    await press.show(press.thread.with_variant(completion), why)


async def _undo(press: _ThreadPress) -> None:
    await press.session.acknowledge()
    if len(press.thread.segments) < 2:  # the button is older than the text: both are shown anew
        raise InvalidRequest("Nothing is left to undo. To be rid of the text, press Delete.")
    await press.show(press.thread.without_last_segment())


async def _delete(press: _ThreadPress) -> None:
    await press.interaction.delete_original_response()
    await press.bot.store.text_threads.forget(press.stored.id)


async def _show_previous(press: _ThreadPress) -> None:
    await press.show(press.thread.showing_variant(press.thread.segments[-1].shown - 1))


async def _show_next(press: _ThreadPress) -> None:
    await press.show(press.thread.showing_variant(press.thread.segments[-1].shown + 1))


_ACTIONS: dict[Action, Callable[[_ThreadPress], Awaitable[None]]] = {
    "continue": _continue_text,
    "another": _try_another,
    "undo": _undo,
    "delete": _delete,
    "previous": _show_previous,
    "next": _show_next,
}
