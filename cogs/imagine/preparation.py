"""Preparation of image requests: the channel's rules, input files, and several jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import discord

from cogs.common import ReplySession, neutral
from cogs.common.age_restriction import age_restricted
from cogs.common.sources import check_size, read
from cogs.imagine.permutations import permutations
from cogs.imagine.settings_line import options_of
from inference import CheckedRequest, Config, EditRequest, ImagineRequest, InvalidRequest, Limits, infotext

Checked = CheckedRequest[ImagineRequest]

_PERSONAL_FOLLOWUPS = 5

_DEFAULTS = {field.name: field.default for field in fields(ImagineRequest)}


def for_channel(request: ImagineRequest, channel: object, config: Config) -> ImagineRequest:
    """Return `request` with the operator's safety settings for `channel`."""
    adults = age_restricted(channel)
    return replace(
        request,
        show_flagged=adults and config.safety.flagged == "spoiler",
        require_safety_checker=not adults and config.safety.restricts_unchecked,
    )


def most_jobs(interaction: discord.Interaction, per_person: int) -> int:
    """Return the most jobs of one interaction; a bot installed only to a person may send five messages."""
    personal = interaction.is_user_integration() and not interaction.is_guild_integration()
    return min(per_person, _PERSONAL_FOLLOWUPS) if personal else per_person


def alternatives(interaction: discord.Interaction, request: ImagineRequest, limits: Limits) -> list[ImagineRequest]:
    """Return a request for each prompt that the prompt stands for; raise InvalidRequest for too many."""
    limit = most_jobs(interaction, limits.per_person)
    found = permutations(request.prompt, limit)
    if found.count > limit:
        raise InvalidRequest(
            "This prompt makes {count:,} jobs; you may have {most} at a time. Leave out some of the alternatives in "
            "{{…}}.",
            count=found.count,
            most=limit,
        )
    return [replace(request, prompt=prompt) for prompt in found.prompts]


def check_before_fetching(
    session: ReplySession, requests: Sequence[ImagineRequest], files: Mapping[str, discord.Attachment], *more: str
) -> list[Checked]:
    """Check each request before its files are fetched; `more` are the names of other inputs that come later."""
    for file in files.values():
        check_size(file, session.engine.config.limits.upload)
    return [session.check(request, pending=[*files, *more]) for request in requests]


async def with_files(
    session: ReplySession, checked: Sequence[Checked], files: Mapping[str, discord.Attachment]
) -> list[Checked]:
    """Fetch the files once, and add them to each request."""
    pictures = {name: await read(file) for name, file in files.items()}
    return [session.engine.with_inputs(each, **pictures) for each in checked] if pictures else [*checked]


def input_files(image: discord.Attachment | None, mask: discord.Attachment | None) -> dict[str, discord.Attachment]:
    """Return the given files by the names of their inputs."""
    return {name: file for name, file in (("image", image), ("mask", mask)) if file}


async def repeated(session: ReplySession, image: discord.Attachment, asked: ImagineRequest) -> ImagineRequest:
    """Return the request in the file of `image`, with the options that `asked` sets.

    Raise InvalidRequest if the file has none.
    """
    check_size(image, session.engine.config.limits.upload)
    await session.acknowledge()
    found = await asyncio.to_thread(infotext.read, await read(image))
    if found is None:
        raise InvalidRequest(
            "This file does not tell what it was drawn from: Discord's previews, screenshots and edited copies lose "
            "that. Give a `prompt` to draw from this picture, or attach the PNG itself."
        )
    if found.strength is not None or isinstance(found, EditRequest):
        lines = [f"`{name}`: {neutral(value[:500])}" for name, value in options_of(found).items()]
        if isinstance(found, EditRequest):
            raise InvalidRequest(
                "This picture was edited from another one, which its file does not hold. Give that one to /edit as "
                "`image`, with\n{options}",
                options="\n".join(lines),
            )
        raise InvalidRequest(
            "This picture was drawn from another one, which its file does not hold. Attach that one as `image`, with"
            "\n{options}",
            options="\n".join(lines),
        )
    given = {field.name: getattr(asked, field.name) for field in fields(asked) if field.name != "prompt"}
    return replace(found, **{name: value for name, value in given.items() if value != _DEFAULTS[name]})
