"""Moods in words: what stands above the chart, and what describes it to those who can't see it."""

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
"""From here on, on a scale of -1 to 1, a mood is called positive (or negative)."""

_ENOUGH = 3
"""Messages that make a most positive and a most negative one worth a link."""


def mood_line(text: str, mood: Mood) -> str:
    """One text's label, and how sure the model is."""
    return f"{quoted(text)}\n{_label(mood.label)} {bar(mood.score)} {mood.score:.0%}"


def label_lines(moods: Sequence[Mood]) -> str:
    """How many texts have which label, for models whose labels are no scale."""
    counts = Counter(mood.label for mood in moods).most_common()
    return "\n".join(f"{_label(label)} {bar(count / len(moods))} {count}" for label, count in counts)


def series_summary(course: MoodSeries) -> str:
    """Who is which mark, when it was, and where it was best and worst."""
    first, last = course.messages[0].at, course.messages[-1].at
    when = tr("{first} to {last}", first=discord.utils.format_dt(first, "f"), last=discord.utils.format_dt(last, "f"))
    lines = [f"**{_overall(course)}** {when}", *_people(course)]
    if len(course.messages) >= _ENOUGH:
        best, worst = course.extremes()
        lines.append(
            tr(
                "Most positive: [message {best}]({best_link}), most negative: [message {worst}]({worst_link})",
                best=best + 1,
                best_link=course.messages[best].jump_url,
                worst=worst + 1,
                worst_link=course.messages[worst].jump_url,
            )
        )
    return "\n".join(lines)


def chart_description(course: MoodSeries) -> str:
    """The chart for those who can't see it."""
    count = len(course.messages)
    sentences = [
        ntr(
            "A chart of the mood of {count} message, negative at the bottom, positive at the top.",
            "A chart of the mood of {count} messages in their order, negative at the bottom, positive at the top.",
            count,
            count=count,
        ),
        _overall(course),
        _trend(course),
        *(f"{line}." for line in _people(course)),
    ]
    return " ".join(sentences)


def _overall(course: MoodSeries) -> str:
    if course.mean >= _CLEAR:
        return tr("On the whole it sounds positive.")
    if course.mean <= -_CLEAR:
        return tr("On the whole it sounds negative.")
    return tr("On the whole it sounds mixed.")


def _trend(course: MoodSeries) -> str:
    if course.trend >= _CLEAR:
        return tr("The mood rises.")
    if course.trend <= -_CLEAR:
        return tr("The mood falls.")
    return tr("The mood at the end is like that at the beginning.")


def _people(course: MoodSeries) -> list[str]:
    """A line for each mark."""
    lines = [
        _person(mark, neutral(course.name(person)), [valence for _, valence in course.of_person(person)])
        for person, (mark, _, _) in zip(course.people, MARKS, strict=False)
    ]
    others = [valence for _, valence in course.of_person(None)]
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
    """In words of ours where the model says what we would, else as it says it."""
    known = {"positive": tr("positive"), "negative": tr("negative"), "neutral": tr("neutral")}
    return known.get(label) or neutral(label)
