"""A text from its prompt to its message: written, kept, and shown with its buttons."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from cogs.complete.buttons import buttons
from cogs.complete.page import finished
from cogs.complete.writing import write
from cogs.language import tr
from cogs.reply import Job
from cogs.reply.errors import DELIVERY
from inference import CompleteRequest, Turn
from storage import Completions, StorageError, Story

log = logging.getLogger(__name__)


async def tell_completion(
    job: Job, completions: Completions, request: CompleteRequest, turns: Sequence[Turn] = (), *, foreign: bool = False
) -> None:
    """Write what comes after the prompt into the message; raises what `Engine.stream` raises.

    `turns` is what was said before. A `foreign` prompt is what somebody else wrote, and not kept.
    """
    request = replace(request, model=job.check(request).name)  # the default may be another one some day
    story = Story(replace(request, prompt="") if foreign else request, follows=bool(turns))
    completion, why = await write(job, story, replace(request, turns=tuple(turns)))
    await _show(job, completions, story.continued(completion), why)
    await job.notify_if_late(tr("Your text is ready."))


async def _show(job: Job, completions: Completions, story: Story, why: str) -> None:
    """It is kept first, since its buttons need that."""
    page = finished(story, why)
    try:
        kept = await completions.keep(job.owner, *job.where, story, private=job.private)
    except StorageError as error:
        log.error("a text is shown without buttons: %s", error, exc_info=error)
        sorry = tr("The bot could not note how this was written, so there are no buttons.")
        await job.finish(replace(page, note=f"{page.note} · {sorry}"))
        return
    try:
        await job.finish(page, buttons(kept.id, story))
    except DELIVERY:
        await completions.forget(kept.id)
        raise
