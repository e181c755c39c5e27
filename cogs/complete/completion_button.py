"""The buttons below a text, and their actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import cast, get_args

import discord

from cogs.client import Inkling, bot_of
from cogs.common import ReplySession
from cogs.common.persistent_item import PersistentItem, custom_id
from cogs.complete.rendering import Action, completion_buttons, finished_content
from cogs.complete.reply_chain import foreign_prompt, messages_before_text
from cogs.complete.service import generate
from cogs.i18n import gettext_noop
from inference import Completion, InvalidRequest
from storage import CompletionHistory, StoredCompletion

_ACTION = f"(?P<action>{'|'.join(get_args(Action))})"


class CompletionButton(PersistentItem, template=custom_id("complete", _ACTION, r"(?P<completion>[\w-]+)")):
    """A button below a text, for its owner."""

    not_yours = gettext_noop(
        "Only the person who asked for this can use its buttons. To go on from here yourself, reply to the message "
        "with my name and your words."
    )

    @property
    def busy(self) -> str:
        return gettext_noop("This text is still being written. Wait until it is done, or press Stop first.")

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        bot = bot_of(interaction)
        stored = await bot.store.completions.get(self.match["completion"])
        if stored is None:
            raise InvalidRequest(
                "I no longer know how this was written, so its buttons can do nothing. Use /complete again."
            )
        self.check_owner(interaction, stored.owner)
        session.keep_on_failure(finished_content(stored.history), completion_buttons(stored.id, stored.history))
        action = _ACTIONS[cast(Action, self.match["action"])]
        await action(_CompletionPress(bot, interaction, message, session, stored))


@dataclass(frozen=True, slots=True)
class _CompletionPress:
    """A press of a button below a text, by its owner."""

    bot: Inkling
    interaction: discord.Interaction
    message: discord.Message
    session: ReplySession
    stored: StoredCompletion

    @property
    def history(self) -> CompletionHistory:
        return self.stored.history

    async def write(self, history: CompletionHistory, n: int) -> tuple[Completion, str]:
        """Return the continuation of `history`, in `n` variants; raise InvalidRequest if the model adds nothing."""
        before = await messages_before_text(self.bot, self.session, self.message) if history.follows else ()
        prompt = await foreign_prompt(self.session, self.message) if history.foreign else history.request.prompt
        request = replace(history.request, prompt=prompt, prefill=history.written, messages=before, seed=None, n=n)
        completion, why = await generate(self.session, history, self.session.check(request))
        if not completion.text.strip():
            raise InvalidRequest("The model added nothing this time: to it, the text is complete as it is.")
        return completion, why

    async def show(self, history: CompletionHistory, why: str = "") -> None:
        """Show `history` and store it; if that fails, the session shows the earlier text again."""
        await self.session.acknowledge()
        await self.session.finish(finished_content(history, why), completion_buttons(self.stored.id, history))
        await self.bot.store.completions.rewrite(self.stored.id, history)


async def _continue_text(press: _CompletionPress) -> None:
    completion, why = await press.write(press.history, press.history.request.n)
    await press.show(press.history.with_segment(completion), why)


async def _try_another(press: _CompletionPress) -> None:
    """Write another variant of the last segment; the earlier variants stay available."""
    completion, why = await press.write(press.history.without_last_segment(), 1)
    await press.show(press.history.with_variant(completion), why)


async def _undo(press: _CompletionPress) -> None:
    await press.session.acknowledge()
    if len(press.history.segments) < 2:  # the button is outdated: the error shows text and buttons again
        raise InvalidRequest("Nothing is left to undo. To be rid of the text, press Delete.")
    await press.show(press.history.without_last_segment())


async def _delete(press: _CompletionPress) -> None:
    await press.interaction.delete_original_response()
    await press.bot.store.completions.forget(press.stored.id)


async def _show_previous(press: _CompletionPress) -> None:
    await press.show(press.history.showing_variant(press.history.segments[-1].shown - 1))


async def _show_next(press: _CompletionPress) -> None:
    await press.show(press.history.showing_variant(press.history.segments[-1].shown + 1))


_ACTIONS: dict[Action, Callable[[_CompletionPress], Awaitable[None]]] = {
    "continue": _continue_text,
    "another": _try_another,
    "undo": _undo,
    "delete": _delete,
    "previous": _show_previous,
    "next": _show_next,
}
