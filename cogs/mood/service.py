"""Finding the moods of texts and showing them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import discord

from cogs.common import AttachedFile, MessageContent, ReplyJob, ReplySession
from cogs.common.channel_history import Transcript
from cogs.common.history_range import HistoryRange, read_history
from cogs.mood.chart import draw
from cogs.mood.rendering import chart_description, label_lines, mood_line, series_summary
from cogs.mood.series import MoodSeries
from inference import CheckedRequest, SentimentRequest, SentimentResult, TextSource, serializable

_LONGEST = 1000
"""The most characters of a message that are used."""


@serializable
@dataclass(frozen=True, slots=True)
class MoodJob(ReplyJob):
    """The mood of one text."""

    checked: CheckedRequest[SentimentRequest]

    async def answer(self, session: ReplySession) -> None:
        result = await session.run(self.checked, SentimentResult)
        await session.finish(MessageContent(mood_line(self.checked.request.texts[0], result.moods[0])))


@serializable
@dataclass(frozen=True, slots=True)
class MoodChartJob(ReplyJob):
    """The moods of messages as a chart, or as counts if the model's labels are no scale."""

    checked: CheckedRequest[SentimentRequest]
    transcript: Transcript

    async def answer(self, session: ReplySession) -> None:
        result = await session.run(self.checked, SentimentResult)
        await session.finish(await _chart_content(self.transcript, result))


async def show_mood(
    session: ReplySession, checked: CheckedRequest[SentimentRequest], text: str, *, text_source: TextSource
) -> None:
    """Show the mood of one text."""
    await session.perform(MoodJob(session.engine.with_inputs(checked, texts=(text,), text_source=text_source)))


async def show_mood_chart(
    session: ReplySession,
    interaction: discord.Interaction,
    history_range: HistoryRange,
    checked: CheckedRequest[SentimentRequest],
) -> None:
    """Read the messages and show their moods."""
    _, transcript = await read_history(session, interaction, history_range)
    texts = tuple(message.words[:_LONGEST] for message in transcript.messages)
    await session.perform(
        MoodChartJob(session.engine.with_inputs(checked, texts=texts, text_source="channel"), transcript)
    )


async def _chart_content(transcript: Transcript, result: SentimentResult) -> MessageContent:
    valences = [mood.valence for mood in result.moods if mood.valence is not None]
    if len(valences) < len(result.moods):
        return MessageContent(label_lines(result.moods), note=transcript.coverage())
    series = MoodSeries.of(transcript.messages, valences)
    png = await asyncio.to_thread(draw, series)
    return MessageContent(
        series_summary(series), (AttachedFile("mood.png", png, chart_description(series)),), note=transcript.coverage()
    )
