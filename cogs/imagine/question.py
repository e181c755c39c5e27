"""Drawings that wait for their person: to choose a region, or to confirm several jobs. They outlive a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import discord

from cogs.common import MessageContent, ReplyJob, ReplySession
from cogs.common.delivery import DELIVERY
from cogs.common.responder import Unreachable, responder_to
from cogs.common.target import Target, now
from cogs.i18n import set_language, tr
from cogs.imagine.question_rendering import DrawingQuestion, question_content, question_view
from cogs.imagine.service import DrawingJob
from inference import InvalidRequest, from_json, serializable, to_json
from storage import QuestionTable, StoredQuestion

log = logging.getLogger(__name__)

_SECONDS = 600
"""The time to choose; it ends before the interaction's token does, so that the message can still be edited."""

_MOST = 4
"""The most open questions of one person: each may hold a large picture."""


@serializable
@dataclass(frozen=True, slots=True)
class QuestionedJobs:
    """What is drawn if the person says so. The jobs start from the same `image` and `mask`, which are stored once."""

    jobs: tuple[DrawingJob, ...]
    image: bytes
    mask: bytes

    @classmethod
    def of(cls, jobs: Sequence[DrawingJob]) -> QuestionedJobs:
        """Take the pictures out of the jobs."""
        first = jobs[0].checked.request
        return cls(tuple(_with_pictures(job, b"", b"") for job in jobs), first.image, first.mask)

    def complete(self) -> list[DrawingJob]:
        """Return the jobs with their pictures. If a region is to be chosen, it is still pending."""
        return [_with_pictures(job, self.image, self.mask) for job in self.jobs]


@serializable
@dataclass(frozen=True, slots=True)
class QuestionJob(ReplyJob):
    """A question: whether to draw the jobs or, if there is a `picture` (scaled down), which part of it to draw anew.

    `region` is chosen at first. With `replaces_edit`, this takes the place of an edit in words.
    """

    jobs: QuestionedJobs
    picture: bytes = b""
    region: str = ""
    replaces_edit: bool = False

    async def answer(self, session: ReplySession) -> None:
        prompts = tuple(job.checked.request.prompt for job in self.jobs.jobs)
        question = DrawingQuestion(prompts, self.region, self.replaces_edit)
        content = await question_content(question, self.picture, session.engine.config.limits.upload_megapixels)
        question_id = await session.services.store.questions.keep(
            session.owner,
            *session.where,
            now() + _SECONDS,
            target=to_json(session.target),
            state=to_json(question),
            picture=self.picture,
            work=await asyncio.to_thread(to_json, self.jobs),
        )
        await session.finish(content, question_view(question_id, question, with_region=bool(self.picture)))


async def draw_or_ask(session: ReplySession, jobs: Sequence[DrawingJob]) -> None:
    """Draw a single job at once; ask for confirmation of several in the private message of `session`."""
    if len(jobs) == 1:
        await session.perform(jobs[0])
    else:
        await ask_first(session, jobs)


async def ask_first(
    session: ReplySession,
    jobs: Sequence[DrawingJob],
    picture: bytes = b"",
    region: str = "",
    *,
    replaces_edit: bool = False,
) -> None:
    """Ask before the jobs are drawn; the options are those of `QuestionJob`. Raise InvalidRequest if many wait."""
    if await session.services.store.questions.count_of(session.owner) >= _MOST:
        raise InvalidRequest(
            "You have {most} questions of mine open. Answer or cancel one of them, then ask again.", most=_MOST
        )
    await session.perform(QuestionJob(QuestionedJobs.of(jobs), picture, region, replaces_edit))


async def close_expired(client: discord.Client, questions: QuestionTable) -> None:
    """Close the questions whose time is over, and say so in their messages. Raise StorageError."""
    for question in await questions.expired(now()):
        if await questions.close(question.id):  # and not answered meanwhile
            await _say_expired(client, question)


async def _say_expired(client: discord.Client, question: StoredQuestion) -> None:
    try:
        target = from_json(question.target, Target)
        set_language(target.language, target.menus)
        text = tr("You did not choose within ten minutes, so nothing was drawn.")
        await responder_to(client, target).show(MessageContent(text))
    except (*DELIVERY, Unreachable, ValueError, TypeError) as error:  # the last two for a row of an earlier version
        log.info("an expired question could not be edited: %s", error)


def _with_pictures(job: DrawingJob, image: bytes, mask: bytes) -> DrawingJob:
    request = replace(job.checked.request, image=image, mask=mask)
    return replace(job, checked=replace(job.checked, request=request))
