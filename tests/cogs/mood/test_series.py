"""Mood series: the numbers, the summary, and the chart on light and dark backgrounds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest
from PIL import Image, ImageColor

from cogs.common.channel_history import TranscriptMessage
from cogs.mood.chart import GREY, MARKS, OTHERS, draw
from cogs.mood.rendering import chart_description, series_summary
from cogs.mood.series import MoodSeries

_START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def mood_series(valences: Sequence[float], names: Sequence[str] = ("alice",)) -> MoodSeries:
    """Return a series with one message a minute. The id of a person is the first letter of the name."""
    messages = [
        TranscriptMessage(
            ord(name[0]), name, "words", _START + timedelta(minutes=i), f"https://discord.com/channels/1/2/{i}"
        )
        for i, name in zip(range(len(valences)), cycle(names), strict=False)
    ]
    return MoodSeries.of(messages, valences)


def _luminance(colour: str) -> float:
    """Return the luminance as defined in https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = (value / 255 for value in ImageColor.getrgb(colour)[:3])
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("background", ["#313338", "#1a1a1e", "#ffffff"])
@pytest.mark.parametrize("colour", [GREY, OTHERS[2], *(colour for _, _, colour in MARKS)])
def test_every_colour_stands_out_from_dark_and_light_backgrounds(colour: str, background: str):
    darker, lighter = sorted((_luminance(colour), _luminance(background)))
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def test_the_chart_is_a_transparent_picture_with_a_mark_for_each_person():
    picture = Image.open(io.BytesIO(draw(mood_series([0.9, -0.9, 0.1] * 3, ["alice", "bob", "cara"]))))
    assert picture.mode == "RGBA"
    assert picture.getpixel((0, picture.height - 1)) == (255, 255, 255, 0)
    shown = {colour for _, colour in picture.getcolors(10**6) or [] if isinstance(colour, tuple) and colour[3] == 255}
    used = [ImageColor.getrgb(colour) for _, _, colour in MARKS]
    assert [(*colour, 255) in shown for colour in used] == [True, True, True, False, False]


def test_more_positive_messages_have_higher_marks():
    picture = Image.open(io.BytesIO(draw(mood_series([0.9, -0.9], ["alice", "bob"]))))
    alice, bob = (_rows(picture, colour) for _, _, colour in MARKS[:2])
    assert max(alice) < picture.height / 2 < min(bob)


def _rows(picture: Image.Image, colour: str) -> set[int]:
    wanted = (*ImageColor.getrgb(colour), 255)
    pixels = picture.load()
    assert pixels is not None
    return {y for y in range(picture.height) for x in range(picture.width) if pixels[x, y] == wanted}


def test_one_message_and_a_thousand_can_be_drawn():
    for count in (1, 2, 1000):
        assert draw(mood_series([0.5] * count)).startswith(b"\x89PNG")


def test_the_most_active_people_have_their_own_marks_and_the_others_share_one():
    people = mood_series([0.5] * 8 + [-0.5], ["a", "a", "b", "c", "d", "e", "a", "f", "g"])
    assert [people.name(person) for person in people.people] == ["a", "b", "c", "d", "e"]
    assert people.of_person(ord("a")) == [(1, 0.5), (2, 0.5), (7, 0.5)]
    assert people.of_person(None) == [(8, 0.5), (9, -0.5)]


def test_people_are_distinguished_by_id_not_by_name():
    messages = mood_series([0, 0, 0]).messages
    authors = ((1, "Sam"), (2, "Sam"), (1, "Sammy"))
    named = [replace(said, author=author, name=name) for said, (author, name) in zip(messages, authors, strict=True)]
    assert series_summary(MoodSeries.of(named, [0.9, -0.9, 0.9])).splitlines()[1:3] == [
        "● Sammy: 2 messages, positive",
        "■ Sam: 1 message, negative",
    ]


def test_the_running_mean_includes_the_neighbours():
    assert mood_series([1, 0, -1, 0]).running_mean() == pytest.approx([0.5, 0, -1 / 3, -0.5])


def test_the_summary_names_marks_times_and_extremes():
    assert series_summary(mood_series([0.9, -0.9, 0.8, -0.2], ["al*ce", "bob"])).splitlines() == [
        "**On the whole it sounds mixed.** <t:1777636800:f> to <t:1777636980:f>",
        r"● al\*ce: 2 messages, positive",
        "■ bob: 2 messages, negative",
        "Most positive: [message 1](https://discord.com/channels/1/2/0), "
        "most negative: [message 2](https://discord.com/channels/1/2/1)",
    ]


def test_one_message_has_a_singular_count_and_no_extremes():
    assert series_summary(mood_series([0.9])).splitlines()[1:] == ["● alice: 1 message, positive"]


@pytest.mark.parametrize(
    ("valences", "words"),
    [
        ([-1, 0, 1], "On the whole it sounds mixed. The mood rises."),
        ([1, 1, 0.2], "On the whole it sounds positive. The mood falls."),
        ([-1, -1, -1], "On the whole it sounds negative. The mood at the end is like that at the beginning."),
    ],
)
def test_the_alt_text_of_the_chart_describes_the_mood(valences: list[float], words: str):
    assert chart_description(mood_series(valences)).startswith(
        "A chart of the mood of 3 messages in their order, negative at the bottom, positive at the top. " + words
    )
    assert "alice: 3 messages" in chart_description(mood_series(valences))
