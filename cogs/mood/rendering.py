"""Texts about moods: the summary above the chart, and its description for people who can't see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

import discord

from cogs.common import neutral, quoted
from cogs.common.markdown import bar
from cogs.i18n import ntr, tr
from cogs.mood.chart import MARKS, OTHERS
from cogs.mood.series import MoodSeries
from inference import Mood

_CLEAR = 0.25
"""The least value, on a scale of -1 to 1, that is called positive (its negative: negative)."""

_ENOUGH = 3
"""The least number of messages for links to the most positive and the most negative one."""


def mood_line(text: str, mood: Mood) -> str:
    """Return one text's label, and how sure the model is."""
    return f"{quoted(text)}\n{_label(mood.label)} {bar(mood.score)} {mood.score:.0%}"


def label_lines(moods: Sequence[Mood]) -> str:
    """Return the number of texts with each label, for models whose labels are no scale."""
    counts = Counter(mood.label for mood in moods).most_common()
    return "\n".join(f"{_label(label)} {bar(count / len(moods))} {count}" for label, count in counts)


def series_summary(series: MoodSeries) -> str:
    """Return the overall mood, the times, the mark of each person, and links to the extremes."""
    first, last = series.messages[0].at, series.messages[-1].at
    when = tr("{first} to {last}", first=discord.utils.format_dt(first, "f"), last=discord.utils.format_dt(last, "f"))
    lines = [f"**{_overall(series)}** {when}", *_people(series)]
    if len(series.messages) >= _ENOUGH:
        best, worst = series.extremes()
        lines.append(
            tr(
                "Most positive: [message {best}]({best_link}), most negative: [message {worst}]({worst_link})",
                best=best + 1,
                best_link=series.messages[best].jump_url,
                worst=worst + 1,
                worst_link=series.messages[worst].jump_url,
            )
        )
    return "\n".join(lines)


def chart_description(series: MoodSeries) -> str:
    """Return a description of the chart for people who can't see it."""
    count = len(series.messages)
    sentences = [
        ntr(
            "A chart of the mood of {count} message, negative at the bottom, positive at the top.",
            "A chart of the mood of {count} messages in their order, negative at the bottom, positive at the top.",
            count,
            count=count,
        ),
        _overall(series),
        _trend(series),
        *(f"{line}." for line in _people(series)),
    ]
    return " ".join(sentences)


def _overall(series: MoodSeries) -> str:
    if series.mean >= _CLEAR:
        return tr("On the whole it sounds positive.")
    if series.mean <= -_CLEAR:
        return tr("On the whole it sounds negative.")
    return tr("On the whole it sounds mixed.")


def _trend(series: MoodSeries) -> str:
    if series.trend >= _CLEAR:
        return tr("The mood rises.")
    if series.trend <= -_CLEAR:
        return tr("The mood falls.")
    return tr("The mood at the end is like that at the beginning.")


def _people(series: MoodSeries) -> list[str]:
    """Return a line for each mark."""
    lines = [
        _person(mark, neutral(series.name(person)), [valence for _, valence in series.of_person(person)])
        for person, (mark, _, _) in zip(series.people, MARKS, strict=False)
    ]
    others = [valence for _, valence in series.of_person(None)]
    return [*lines, _person(OTHERS[0], tr("others"), others)] if others else lines


def _person(mark: str, name: str, valences: Sequence[float]) -> str:
    count, sound = len(valences), _sound(fmean(valences))
    return ntr(
        "{mark} {name}: {count} message, {sound}",
        "{mark} {name}: {count} messages, {sound}",
        count,
        mark=mark,
        name=name,
        count=count,
        sound=sound,
    )


def _sound(valence: float) -> str:
    if valence >= _CLEAR:
        return tr("positive")
    return tr("negative") if valence <= -_CLEAR else tr("mixed")


def _label(label: str) -> str:
    """Translate a known label; return any other label as the model gives it."""
    known = {"positive": tr("positive"), "negative": tr("negative"), "neutral": tr("neutral")}
    return known.get(label) or neutral(label)
