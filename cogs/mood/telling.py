"""From texts to what is shown of their moods."""

from __future__ import annotations

import asyncio

import discord

from cogs.mood.chart import draw
from cogs.mood.course import Course
from cogs.mood.wording import described, labels_told, mood_told, told
from cogs.reply import Attached, Job, Page
from cogs.reply.history import Transcript
from cogs.reply.stretch import Stretch, read_stretch
from inference import Moods, SentimentRequest

_LONGEST = 1000
"""Characters of a message that count towards its mood."""


async def tell_mood(job: Job, text: str, model: str = "") -> None:
    """The mood of one text."""
    found = await job.run(SentimentRequest(texts=(text,), model=model, owner=str(job.owner)), Moods)
    await job.finish(Page(mood_told(text, found.moods[0])))


async def tell_course(job: Job, interaction: discord.Interaction, stretch: Stretch, model: str = "") -> None:
    """How the mood of messages went, as a chart, or in words where the model knows no scale."""
    _, past = await read_stretch(job, interaction, stretch)
    texts = tuple(said.words[:_LONGEST] for said in past.messages)
    found = await job.run(SentimentRequest(texts=texts, model=model, owner=str(job.owner)), Moods)
    await job.finish(await _page(past, found))


async def _page(past: Transcript, found: Moods) -> Page:
    valences = [mood.valence for mood in found.moods if mood.valence is not None]
    if len(valences) < len(found.moods):
        return Page(labels_told(found.moods), note=past.coverage())
    course = Course.of(past.messages, valences)
    png = await asyncio.to_thread(draw, course)
    return Page(told(course), (Attached("mood.png", png, described(course)),), note=past.coverage())
