"""Generating a text, storing it, and showing it with its buttons."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cogs.common import MessageContent, ProgressRenderer, ReplyJob, ReplySession, report
from cogs.common.delivery import DELIVERY
from cogs.common.error_messages import with_traceback
from cogs.complete.rendering import completion_buttons, draft_content, finished_content
from cogs.i18n import tr
from inference import (
    CheckedRequest,
    CompleteRequest,
    Completion,
    Event,
    Message,
    PartialText,
    RequestCancelled,
    RequestTimeout,
    serializable,
)
from storage import CompletionHistory, StorageError

log = logging.getLogger(__name__)

USUAL_LENGTH = 192
"""The most tokens of a text of whole sentences, which people get if they don't give a length."""


class ThreadRenderer(ProgressRenderer):
    """A renderer of `history` and of the text being added to it; `partial` is the latest state of that.

    Until there is some, the text of `shown` stays, which the message has had before.
    """

    def __init__(self, history: CompletionHistory, shown: CompletionHistory | None = None) -> None:
        super().__init__(finished_content(shown).text if shown else "", self._draft_of, stop=tr("Stop"))
        self._history = history
        self.partial = PartialText("", history.chat)

    def render(self, event: Event) -> tuple[Callable[[], MessageContent], float]:
        if isinstance(event, PartialText):
            self.partial = event
        return super().render(event)

    def _draft_of(self, text: str) -> MessageContent:
        return draft_content(replace(self._history, chat=self.partial.chat), text)


@serializable
@dataclass(frozen=True, slots=True)
class CompletionJob(ReplyJob):
    """The first text of a `history` that has no segments yet."""

    checked: CheckedRequest[CompleteRequest]
    history: CompletionHistory

    async def answer(self, session: ReplySession) -> None:
        completion, why = await generate(session, self.history, self.checked)
        await _show(session, self.history.with_segment(completion), why)
        await session.notify_if_late(tr("Your text is ready."))


async def show_completion(
    session: ReplySession, request: CompleteRequest, before: Sequence[Message] = (), *, foreign: bool = False
) -> None:
    """Generate the continuation of the prompt and show it; raise what `Engine.stream` raises.

    `before` are the earlier messages. A `foreign` prompt was written by somebody else, and is stored until this ends.
    """
    checked = session.check(replace(request, messages=tuple(before)))
    request = replace(request, model=checked.spec.name)  # the default may change later
    history = CompletionHistory(replace(request, prompt="") if foreign else request, follows=bool(before))
    await session.perform(CompletionJob(checked, history))


async def generate(
    session: ReplySession,
    history: CompletionHistory,
    checked: CheckedRequest[CompleteRequest],
    shown: CompletionHistory | None = None,
) -> tuple[Completion, str]:
    """Return the continuation of `history`, and why it ended; empty if the model ended it.

    `shown` is what the message shows until some text is there.

    Raise what `Engine.stream` raises, unless it is stopped after some text was written.
    """
    renderer = ThreadRenderer(history, shown)
    try:
        return await session.run(checked, Completion, renderer), ""
    except (RequestCancelled, RequestTimeout) as error:
        text, chat = renderer.partial.text, renderer.partial.chat
        if not text.strip():
            raise
        seed = checked.request.seed
        assert seed is not None, "checked requests have one"
        why = (
            tr("stopped")
            if isinstance(error, RequestCancelled)
            else report(error, "complete", session.target.request_id)
        )
        return Completion(text, seed, chat=chat), why


async def _show(session: ReplySession, history: CompletionHistory, why: str) -> None:
    """Store the text, which its buttons need, and then show it."""
    completions = session.services.store.completions
    content = finished_content(history, why)
    try:
        if session.resumed:  # it may have been stored before the restart
            await completions.forget_messages([session.where[1]])
        stored = await completions.keep(session.owner, *session.where, history, private=session.target.private)
    except StorageError as error:
        log.error("a text is shown without buttons: %s", error, exc_info=with_traceback(error))
        not_stored = tr("The bot could not note how this was written, so there are no buttons.")
        await session.finish(replace(content, note=f"{content.note} · {not_stored}"))
        return
    try:
        await session.finish(content, completion_buttons(stored.id, history))
    except DELIVERY:
        await completions.forget(stored.id)
        raise
