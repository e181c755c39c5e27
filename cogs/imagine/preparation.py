"""What comes before an image: the rules of the channel, pictures that are handed in, jobs in messages of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields, replace

import discord

from cogs.common import FollowupResponder, ReplySession, ReplySessions, neutral
from cogs.common.sources import check_size, read
from cogs.imagine.permutations import permutations
from inference import CheckedRequest, Config, ImagineRequest, InvalidRequest, Limits, infotext

Checked = CheckedRequest[ImagineRequest]

ShowImage = Callable[[ReplySession, Checked], Awaitable[None]]
"""Draws a request in the message of a session."""

_PERSONAL_FOLLOWUPS = 5

_DEFAULTS = {field.name: field.default for field in fields(ImagineRequest)}

_RESTRICTABLE = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.ForumChannel)


def for_channel(request: ImagineRequest, channel: object, config: Config) -> ImagineRequest:
    """Return `request` with what the operator lets be shown in `channel`, and which models may draw there."""
    adults = age_restricted(channel)
    return replace(
        request,
        show_flagged=adults and config.safety.flagged == "spoiler",
        require_safety_checker=not adults and config.safety.unchecked == "restricted",
    )


def age_restricted(channel: object) -> bool:
    """Return whether `channel` is for adults alone, as Discord marks it.

    Threads and the posts of a forum follow their parent. Direct messages, and whatever is not known for certain,
    count as not restricted.
    """
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    return isinstance(channel, _RESTRICTABLE) and channel.is_nsfw()


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


def check_before_fetching(
    session: ReplySession, requests: Sequence[ImagineRequest], files: Mapping[str, discord.Attachment], *more: str
) -> list[Checked]:
    """Check each request before its files are fetched; `more` names further inputs that come later."""
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
    """Return the files that are given, by the names of their inputs."""
    return {name: file for name, file in (("image", image), ("mask", mask)) if file}


async def repeated(session: ReplySession, image: discord.Attachment, asked: ImagineRequest) -> ImagineRequest:
    """Return the request that drew `image`, as its file says, with the options that `asked` sets.

    Raises InvalidRequest for a file that does not say it.
    """
    check_size(image, session.engine.config.limits.upload)
    await session.acknowledge()
    found = await asyncio.to_thread(infotext.read, await read(image))
    if found is None:
        raise InvalidRequest(
            "This file does not tell what it was drawn from: Discord's previews, screenshots and edited copies lose "
            "that. Give a `prompt` to draw from this picture, or attach the PNG itself."
        )
    if found.strength is not None:
        lines = [f"`{name}`: {neutral(value[:500])}" for name, value in infotext.options_in(found).items()]
        raise InvalidRequest(
            "This picture was drawn from another one, which its file does not hold. Attach that one as `image`, with"
            "\n{options}",
            options="\n".join(lines),
        )
    given = {field.name: getattr(asked, field.name) for field in fields(asked) if field.name != "prompt"}
    return replace(found, **{name: value for name, value in given.items() if value != _DEFAULTS[name]})


async def generate_all(
    sessions: ReplySessions, interaction: discord.Interaction, requests: Sequence[Checked], show: ShowImage
) -> None:
    """Each request in a public message of its own; the interaction has been answered."""
    await asyncio.gather(*(_draw(sessions, interaction, request, show) for request in requests))


async def _draw(sessions: ReplySessions, interaction: discord.Interaction, request: Checked, show: ShowImage) -> None:
    async with sessions.open(FollowupResponder(interaction)) as session:
        await show(session, request)
