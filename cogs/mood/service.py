"""From texts to what is shown of their moods."""

from __future__ import annotations

import asyncio

import discord

from cogs.common import AttachedFile, MessageContent, ReplySession
from cogs.common.channel_history import Transcript
from cogs.common.history_range import HistoryRange, read_history
from cogs.mood.chart import draw
from cogs.mood.rendering import chart_description, label_lines, mood_line, series_summary
from cogs.mood.series import MoodSeries
from inference import CheckedRequest, SentimentRequest, SentimentResult

_LONGEST = 1000
"""Characters of a message that count towards its mood."""


async def show_mood(session: ReplySession, checked: CheckedRequest[SentimentRequest], text: str) -> None:
    """Show the mood of one text."""
    found = await session.run(checked, SentimentResult, texts=(text,))
    await session.finish(MessageContent(mood_line(text, found.moods[0])))


async def show_mood_chart(
    session: ReplySession,
    interaction: discord.Interaction,
    history: HistoryRange,
    checked: CheckedRequest[SentimentRequest],
) -> None:
    """How the mood of messages went, as a chart, or in words where the model knows no scale."""
    _, past = await read_history(session, interaction, history)
    texts = tuple(said.words[:_LONGEST] for said in past.messages)
    found = await session.run(checked, SentimentResult, texts=texts)
    await session.finish(await _page(past, found))


async def _page(past: Transcript, found: SentimentResult) -> MessageContent:
    valences = [mood.valence for mood in found.moods if mood.valence is not None]
    if len(valences) < len(found.moods):
        return MessageContent(label_lines(found.moods), note=past.coverage())
    course = MoodSeries.of(past.messages, valences)
    png = await asyncio.to_thread(draw, course)
    return MessageContent(
        series_summary(course), (AttachedFile("mood.png", png, chart_description(course)),), note=past.coverage()
    )
