"""A text from its prompt to its message: generated, stored, and shown with its buttons."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from cogs.common import MessageContent, ProgressRenderer, ReplySession, report
from cogs.common.error_messages import DELIVERY
from cogs.complete.rendering import draft_content, finished_content, thread_buttons
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
from storage import StorageError, TextThread, TextThreadTable

log = logging.getLogger(__name__)


class ThreadRenderer(ProgressRenderer):
    """Shows `thread` with what is being added to it, of which `partial` is the latest."""

    def __init__(self, thread: TextThread) -> None:
        super().__init__(finished_content(thread).text if thread.segments else "", self._draft_of, stop=tr("Stop"))
        self._thread = thread
        self.partial = PartialText("", thread.chat)

    def render(self, event: Event) -> tuple[Callable[[], MessageContent], float]:
        if isinstance(event, PartialText):
            self.partial = event
        return super().render(event)

    def _draft_of(self, text: str) -> MessageContent:
        return draft_content(replace(self._thread, chat=self.partial.chat), text)


async def show_completion(
    session: ReplySession,
    threads: TextThreadTable,
    request: CompleteRequest,
    before: Sequence[Message] = (),
    *,
    foreign: bool = False,
) -> None:
    """Write what comes after the prompt into the message; raises what `Engine.stream` raises.

    `before` is what was said before. A `foreign` prompt is what somebody else wrote, and not stored.
    """
    checked = session.check(replace(request, messages=tuple(before)))
    request = replace(request, model=checked.spec.name)  # the default may be another one some day
    thread = TextThread(replace(request, prompt="") if foreign else request, follows=bool(before))
    completion, why = await generate(session, thread, checked)
    await _show(session, threads, thread.with_segment(completion), why)
    await session.notify_if_late(tr("Your text is ready."))


async def generate(
    session: ReplySession, thread: TextThread, checked: CheckedRequest[CompleteRequest]
) -> tuple[Completion, str]:
    """Return what comes next in `thread`, and why it ends, where that is not the model's doing.

    Raise what `Engine.stream` raises, unless there are words already when it is stopped.
    """
    renderer = ThreadRenderer(thread)
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


async def _show(session: ReplySession, threads: TextThreadTable, thread: TextThread, why: str) -> None:
    """Store it first, since its buttons need that."""
    content = finished_content(thread, why)
    try:
        stored = await threads.keep(session.owner, *session.where, thread, private=session.private)
    except StorageError as error:
        log.error("a text is shown without buttons: %s", error, exc_info=error)
        sorry = tr("The bot could not note how this was written, so there are no buttons.")
        await session.finish(replace(content, note=f"{content.note} · {sorry}"))
        return
    try:
        await session.finish(content, thread_buttons(stored.id, thread))
    except DELIVERY:
        await threads.forget(stored.id)
        raise
