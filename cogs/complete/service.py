"""Generating a text, storing it, and showing it with its buttons."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from cogs.common import MessageContent, ProgressRenderer, ReplySession, report
from cogs.common.error_messages import DELIVERY
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
)
from storage import CompletionHistory, CompletionTable, StorageError

log = logging.getLogger(__name__)


class ThreadRenderer(ProgressRenderer):
    """A renderer of `history` and of the text being added to it; `partial` is the latest state of that."""

    def __init__(self, history: CompletionHistory) -> None:
        super().__init__(finished_content(history).text if history.segments else "", self._draft_of, stop=tr("Stop"))
        self._history = history
        self.partial = PartialText("", history.chat)

    def render(self, event: Event) -> tuple[Callable[[], MessageContent], float]:
        if isinstance(event, PartialText):
            self.partial = event
        return super().render(event)

    def _draft_of(self, text: str) -> MessageContent:
        return draft_content(replace(self._history, chat=self.partial.chat), text)


async def show_completion(
    session: ReplySession,
    completions: CompletionTable,
    request: CompleteRequest,
    before: Sequence[Message] = (),
    *,
    foreign: bool = False,
) -> None:
    """Generate the continuation of the prompt and show it; raise what `Engine.stream` raises.

    `before` are the earlier messages. A `foreign` prompt was written by somebody else, and is not stored.
    """
    checked = session.check(replace(request, messages=tuple(before)))
    request = replace(request, model=checked.spec.name)  # the default may change later
    history = CompletionHistory(replace(request, prompt="") if foreign else request, follows=bool(before))
    completion, why = await generate(session, history, checked)
    await _show(session, completions, history.with_segment(completion), why)
    await session.notify_if_late(tr("Your text is ready."))


async def generate(
    session: ReplySession, history: CompletionHistory, checked: CheckedRequest[CompleteRequest]
) -> tuple[Completion, str]:
    """Return the continuation of `history`, and why it ended; empty if the model ended it.

    Raise what `Engine.stream` raises, unless it is stopped after some text was written.
    """
    renderer = ThreadRenderer(history)
    try:
        return await session.run(checked, Completion, renderer), ""
    except (RequestCancelled, RequestTimeout) as error:
        text, chat = renderer.partial.text, renderer.partial.chat
        if not text.strip():
            raise
        seed = checked.request.seed
        assert seed is not None, "checked requests have one"
        why = tr("stopped") if isinstance(error, RequestCancelled) else report(error, "complete")
        return Completion(text, seed, chat=chat), why


async def _show(session: ReplySession, completions: CompletionTable, history: CompletionHistory, why: str) -> None:
    """Store the text, which its buttons need, and then show it."""
    content = finished_content(history, why)
    try:
        stored = await completions.keep(session.owner, *session.where, history, private=session.private)
    except StorageError as error:
        log.error("a text is shown without buttons: %s", error, exc_info=error)
        not_stored = tr("The bot could not note how this was written, so there are no buttons.")
        await session.finish(replace(content, note=f"{content.note} · {not_stored}"))
        return
    try:
        await session.finish(content, completion_buttons(stored.id, history))
    except DELIVERY:
        await completions.forget(stored.id)
        raise
