"""Drawings that wait for their person: to choose a region, or to confirm several jobs. They outlive a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from cogs.common import MessageContent, ReplySession
from cogs.common.delivery import DELIVERY
from cogs.common.responder import Unreachable, responder_to
from cogs.common.target import Target, now
from cogs.i18n import set_language, tr
from cogs.imagine.draft_rendering import Draft, draft_content, draft_view
from cogs.imagine.service import DrawingJob
from inference import from_json, serializable, to_json
from storage import DraftTable

log = logging.getLogger(__name__)

_SECONDS = 600
"""The time to choose; it ends before the interaction's token does, so that the message can still be edited."""


@serializable
@dataclass(frozen=True, slots=True)
class DraftedJobs:
    """What is drawn if the person says so. If a region is to be chosen, it is still pending."""

    jobs: tuple[DrawingJob, ...]


async def draw_or_ask(session: ReplySession, jobs: Sequence[DrawingJob]) -> None:
    """Draw a single job at once; ask for confirmation of several in the private message of `session`."""
    if len(jobs) == 1:
        await session.perform(jobs[0])
    else:
        await ask(session, jobs)


async def ask(session: ReplySession, jobs: Sequence[DrawingJob], picture: bytes = b"", region: str = "") -> None:
    """Store the jobs and ask; with a `picture` (scaled down), ask for a region of it. `region` is chosen at first."""
    await session.acknowledge()
    draft = Draft(tuple(job.checked.request.prompt for job in jobs), picture, region)
    draft_id = await session.services.store.drafts.keep(
        session.owner,
        *session.where,
        now() + _SECONDS,
        to_json(draft),
        target=to_json(session.target),
        work=await asyncio.to_thread(to_json, DraftedJobs(tuple(jobs))),
    )
    content = await draft_content(draft, session.engine.config.limits.upload_megapixels)
    await session.finish(content, draft_view(draft_id, draft))


async def close_expired(client: discord.Client, drafts: DraftTable) -> None:
    """Delete the drafts whose time is over, and say so in the messages of those that are questions."""
    for draft in await drafts.expired(now()):
        await drafts.forget(draft.id)
        if not draft.target:
            continue
        target = from_json(draft.target, Target)
        set_language(target.language, target.menus)
        text = tr("You did not choose within ten minutes, so nothing was drawn.")
        try:
            await responder_to(client, target).show(MessageContent(text))
        except (*DELIVERY, Unreachable) as error:
            log.info("an expired question could not be edited: %s", error)
