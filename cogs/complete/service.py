"""A text from its prompt to its message: written, kept, and shown with its buttons."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from cogs.common import ReplySession
from cogs.common.error_messages import DELIVERY
from cogs.complete.buttons import buttons
from cogs.complete.generation import generate
from cogs.complete.rendering import finished_content
from cogs.i18n import tr
from inference import CompleteRequest, Message
from storage import StorageError, TextThread, TextThreadTable

log = logging.getLogger(__name__)


async def show_completion(
    session: ReplySession,
    completions: TextThreadTable,
    request: CompleteRequest,
    turns: Sequence[Message] = (),
    *,
    foreign: bool = False,
) -> None:
    """Write what comes after the prompt into the message; raises what `Engine.stream` raises.

    `turns` is what was said before. A `foreign` prompt is what somebody else wrote, and not kept.
    """
    checked = session.check(replace(request, messages=tuple(turns)))
    request = replace(request, model=checked.spec.name)  # the default may be another one some day
    thread = TextThread(replace(request, prompt="") if foreign else request, follows=bool(turns))
    completion, why = await generate(session, thread, checked)
    await _show(session, completions, thread.with_segment(completion), why)
    await session.notify_if_late(tr("Your text is ready."))


async def _show(session: ReplySession, completions: TextThreadTable, thread: TextThread, why: str) -> None:
    """It is kept first, since its buttons need that."""
    content = finished_content(thread, why)
    try:
        kept = await completions.keep(session.owner, *session.where, thread, private=session.private)
    except StorageError as error:
        log.error("a text is shown without buttons: %s", error, exc_info=error)
        sorry = tr("The bot could not note how this was written, so there are no buttons.")
        await session.finish(replace(content, note=f"{content.note} · {sorry}"))
        return
    try:
        await session.finish(content, buttons(kept.id, thread))
    except DELIVERY:
        await completions.forget(kept.id)
        raise
