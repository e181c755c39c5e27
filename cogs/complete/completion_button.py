"""The buttons below a text, and their actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import cast, get_args

import discord

from cogs.client import Inkling, bot_of
from cogs.common import ReplyJob, ReplySession
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id
from cogs.complete.rendering import Action, completion_buttons, finished_content
from cogs.complete.reply_chain import foreign_prompt, messages_before_text
from cogs.complete.service import generate
from cogs.i18n import gettext_noop
from inference import CheckedRequest, CompleteRequest, InvalidRequest, serializable
from storage import CompletionHistory, StoredCompletion

_ACTION = f"(?P<action>{'|'.join(get_args(Action))})"


class CompletionButton(PersistentItem, template=custom_id("complete", _ACTION, r"(?P<completion>[\w-]+)")):
    """A button below a text, for its owner."""

    not_yours = gettext_noop(
        "Only the person who asked for this can use its buttons. To go on from here yourself, reply to the message "
        "with my name and your words."
    )

    @property
    def begins_request(self) -> bool:
        return self.match["action"] in ("continue", "another")

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


@serializable
@dataclass(frozen=True, slots=True)
class ContinuationJob(ReplyJob):
    """One more segment of a stored text, or `another` variant of its last one. `history` is the text before."""

    checked: CheckedRequest[CompleteRequest]
    completion_id: str
    history: CompletionHistory
    another: bool

    def prepare(self, session: ReplySession) -> None:
        session.keep_on_failure(finished_content(self.history), completion_buttons(self.completion_id, self.history))

    async def answer(self, session: ReplySession) -> None:
        base = self.history.without_last_segment() if self.another else self.history
        completion, why = await generate(session, base, self.checked, shown=self.history)
        if not completion.text.strip():
            raise InvalidRequest("The model added nothing this time: to it, the text is complete as it is.")
        extend = self.history.with_variant if self.another else self.history.with_segment
        await _show_again(session, self.completion_id, extend(completion), why)


async def _show_again(session: ReplySession, completion_id: str, history: CompletionHistory, why: str = "") -> None:
    await session.finish(finished_content(history, why), completion_buttons(completion_id, history))
    await session.services.store.completions.rewrite(completion_id, history)


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

    async def write(self, history: CompletionHistory, n: int, *, another: bool = False) -> None:
        """Continue `history` in `n` variants, and show the result in place of the text."""
        before = await messages_before_text(self.bot, self.session, self.message) if history.follows else ()
        prompt = await foreign_prompt(self.session, self.message) if history.foreign else history.request.prompt
        request = replace(history.request, prompt=prompt, prefill=history.written, messages=before, seed=None, n=n)
        checked = self.session.check(request)
        await self.session.perform(ContinuationJob(checked, self.stored.id, self.history, another))

    async def show(self, history: CompletionHistory) -> None:
        """Show `history` and store it; if that fails, the session shows the earlier text again."""
        await self.session.acknowledge()
        await _show_again(self.session, self.stored.id, history)


async def _continue_text(press: _CompletionPress) -> None:
    await press.write(press.history, press.history.request.n)


async def _try_another(press: _CompletionPress) -> None:
    """Write another variant of the last segment; the earlier variants stay available."""
    await press.write(press.history.without_last_segment(), 1, another=True)


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
