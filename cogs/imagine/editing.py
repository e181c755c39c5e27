"""Edits in words: by a model made for that or, where there is none, by drawing a part of the picture anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import fields

import discord

from cogs.client import bot_of
from cogs.common import InteractionResponder, ReplySession
from cogs.imagine.permutations import several
from cogs.imagine.preparation import Checked, alternatives, check_before_fetching, for_channel, with_files
from cogs.imagine.question import ask_first, draw_or_ask
from cogs.imagine.service import DrawingJob
from inference import EditRequest, Engine, ImagineRequest, InvalidRequest, scaled_down
from storage import Lineage


def edit_responder(interaction: discord.Interaction, request: EditRequest) -> InteractionResponder:
    """Return where the reply to an edit goes: in private if it begins with a question."""
    asks = several(request.prompt) or _needs_region(bot_of(interaction).engine, request)
    return InteractionResponder.of(interaction, private=asks)


def check_edit(
    session: ReplySession, interaction: discord.Interaction, request: ImagineRequest, image: discord.Attachment
) -> list[Checked]:
    """Check the edit of `image`, which is fetched later; raise what `ReplySession.check` raises.

    Where no model edits, it becomes a drawing from the picture, whose region is still to be chosen.
    """
    bot, files = bot_of(interaction), {"image": image}
    needs_region = _needs_region(bot.engine, request)
    allowed = for_channel(_drawing(request) if needs_region else request, interaction.channel, bot.config)
    requests = alternatives(interaction, allowed, session.limits)
    return check_before_fetching(session, requests, files, *(["region"] if needs_region else []))


async def perform_edit(
    session: ReplySession,
    checked: Sequence[Checked],
    image: discord.Attachment,
    origin: Lineage | None = None,
    made_from: str = "",
) -> None:
    """Fetch the picture and edit it, or first ask which region of it changes."""
    await session.acknowledge()
    checked = await with_files(session, checked, {"image": image})
    jobs = [DrawingJob(each, origin, made_from) for each in checked]
    if "region" in checked[0].pending:
        megapixels = session.engine.config.limits.upload_megapixels
        picture = await asyncio.to_thread(scaled_down, checked[0].request.image, megapixels)
        await ask_first(session, jobs, picture, replaces_edit=True)
    else:
        await draw_or_ask(session, jobs)


def edits_in_words(engine: Engine) -> bool:
    """Return whether a model follows instructions, such as "make the cup red"."""
    return bool(engine.models("edit"))


def _needs_region(engine: Engine, request: ImagineRequest) -> bool:
    """Return whether no model edits in words, but one may draw a region anew."""
    return not (request.model or edits_in_words(engine)) and bool(engine.models("imagine"))


def _drawing(request: ImagineRequest) -> ImagineRequest:
    """Return the same request as a drawing; raise InvalidRequest if it has a setting that only edits have."""
    if isinstance(request, EditRequest) and request.image_guidance_scale is not None:
        raise InvalidRequest("No model here edits in words alone, and drawings have no Image CFG scale. Leave it out.")
    return ImagineRequest(**{field.name: getattr(request, field.name) for field in fields(ImagineRequest)})
