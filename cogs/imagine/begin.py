"""What comes before a drawing: pictures that are handed in, and jobs in messages of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import discord

from cogs.imagine.permutations import permutations
from cogs.reply import Job, Jobs, neutral
from cogs.reply.followup import FollowupPlace
from cogs.reply.sources import check_size, read
from inference import ImagineRequest, InvalidRequest, Limits, parameters

Tell = Callable[[Job, ImagineRequest], Awaitable[None]]
"""Draws a request in the message of a job."""

_UNREAD = b"?"
"""Stands for a picture that is not fetched yet, so that the rest can be checked before it is."""

_PERSONAL_FOLLOWUPS = 5


def most_jobs(interaction: discord.Interaction, per_person: int) -> int:
    """How many jobs one interaction may start: installed to a person alone, it may send five messages and no more."""
    personal = interaction.is_user_integration() and not interaction.is_guild_integration()
    return min(per_person, _PERSONAL_FOLLOWUPS) if personal else per_person


def alternatives(interaction: discord.Interaction, request: ImagineRequest, limits: Limits) -> list[ImagineRequest]:
    """`request` for each prompt that its prompt stands for; raises InvalidRequest for too many."""
    most = most_jobs(interaction, limits.per_person)
    found = permutations(request.prompt, most)
    if found.count > most:
        raise InvalidRequest(
            "This prompt makes {count:,} jobs; you may have {most} at a time. Leave out some of the alternatives in "
            "{{…}}.",
            count=found.count,
            most=most,
        )
    return [replace(request, prompt=prompt) for prompt in found.prompts]


def check_unread(
    job: Job, request: ImagineRequest, image: discord.Attachment | None, mask: discord.Attachment | None
) -> None:
    """Raises what can be told before any picture is fetched."""
    stand_ins = {"image": _UNREAD if image else b"", "mask": _UNREAD if mask else b""}
    job.check(replace(request, **stand_ins))
    for file in filter(None, (image, mask)):
        check_size(file, job.engine.config.limits.upload)


async def with_pictures(
    request: ImagineRequest, image: discord.Attachment | None, mask: discord.Attachment | None
) -> ImagineRequest:
    """`request` with the bytes of its pictures."""
    return replace(request, image=await read(image) if image else b"", mask=await read(mask) if mask else b"")


async def repeated(job: Job, image: discord.Attachment, given: dict[str, Any]) -> ImagineRequest:
    """The request that drew `image`, as its file tells, with the options that are `given`; raises InvalidRequest."""
    check_size(image, job.engine.config.limits.upload)
    await job.acknowledge()
    found = await asyncio.to_thread(parameters.read, await read(image))
    if found is None:
        raise InvalidRequest(
            "This file does not tell what it was drawn from: Discord's previews, screenshots and edited copies lose "
            "that. Give a `prompt` to draw from this picture, or attach the PNG itself."
        )
    if found.strength is not None:
        lines = [f"`{name}`: {neutral(value[:500])}" for name, value in parameters.options(found).items()]
        raise InvalidRequest(
            "This picture was drawn from another one, which its file does not hold. Attach that one as `image`, with"
            "\n{options}",
            options="\n".join(lines),
        )
    return replace(found, **given)


async def draw_all(
    jobs: Jobs, interaction: discord.Interaction, requests: Sequence[ImagineRequest], tell: Tell
) -> None:
    """Each request in a public message of its own; the interaction has been answered."""
    await asyncio.gather(*(_draw(jobs, interaction, request, tell) for request in requests))


async def _draw(jobs: Jobs, interaction: discord.Interaction, request: ImagineRequest, tell: Tell) -> None:
    async with jobs.open(FollowupPlace(interaction)) as job:
        await tell(job, request)
