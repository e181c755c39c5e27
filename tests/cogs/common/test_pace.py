"""The pace of edits, in virtual time: few enough for Discord, and always with the latest content."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from cogs.common.message_content import MessageContent
from cogs.common.progress_renderer import ProgressRenderer
from cogs.common.throttled_editor import ThrottledEditor
from inference import Event, Loading, PartialText, Progress, Queued, Started
from tests.cogs.common import virtual_time


class TimedDiscord:
    """Records each edit, and when it began and ended."""

    def __init__(self, delay: float = 0.0) -> None:
        self.accepted: list[str] = []
        self.times: list[tuple[float, float]] = []
        self._delay = delay

    async def edit(self, content: MessageContent) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await asyncio.sleep(self._delay)
        self.accepted.append(content.text)
        self.times.append((started, loop.time()))

    @property
    def pauses(self) -> list[float]:
        return [later - ended for (_, ended), (later, _) in pairwise(self.times)]


ScheduledEdit = tuple[float, str, float]
"""The time, the text, and the pause in seconds after the edit."""


def run_edits(scheduled: Sequence[ScheduledEdit], discord: TimedDiscord) -> None:
    async def schedule_all() -> None:
        editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
        loop = asyncio.get_running_loop()
        for time, text, pause in scheduled:
            await asyncio.sleep(time - loop.time())
            editor.schedule(lambda text=text: MessageContent(text), pause)
        await asyncio.sleep(60)

    virtual_time.run(schedule_all())


def test_the_next_edit_is_sent_when_the_pause_of_the_last_edit_ends():
    discord = TimedDiscord()
    run_edits([(0, "a picture", 3), (1, "a text", 1), (3.4, "more of it", 1), (20, "much later", 1)], discord)
    assert discord.accepted == ["a picture", "a text", "more of it", "much later"]
    assert [started for started, _ in discord.times] == pytest.approx([0.3, 3.3, 4.3, 20])


def test_only_the_latest_content_of_a_pause_is_sent():
    discord = TimedDiscord()
    run_edits([(number / 10 + 0.05, str(number), 2) for number in range(50)], discord)
    assert discord.accepted == ["2", "22", "42", "49"]
    assert discord.pauses == pytest.approx([2, 2, 2])


def test_a_pause_begins_when_discord_has_accepted_the_edit():
    discord = TimedDiscord(delay=5)
    run_edits([(number / 10 + 0.05, str(number), 2) for number in range(100)], discord)
    assert discord.pauses == pytest.approx([2, 2])
    assert discord.accepted == ["2", "72", "99"]


def test_an_edit_after_a_quiet_time_still_waits_for_the_pause_of_the_last_edit():
    discord = TimedDiscord()
    run_edits([(0, "first", 10), (9, "second", 1)], discord)
    assert discord.pauses == pytest.approx([10])


@pytest.mark.parametrize(
    ("event", "pause"),
    [
        (lambda n: PartialText("word " * n), 1.5),
        (lambda n: Progress(n, 100), 1.5),
        (lambda n: Progress(n, 100, b"preview"), 3.0),
        (lambda n: Progress(n, 100, b"preview" if n == 1 else None), 3.0),
        (lambda n: Queued(n, 10.0), 1.5),
        (lambda n: Loading(n / 100), 1.5),
        (lambda n: Started(), 1.5),
    ],
)  # fmt: skip
def test_progress_is_sent_every_1_5_seconds_and_previews_every_3_seconds(
    event: Callable[[int], Event], pause: float
) -> None:
    async def follow() -> TimedDiscord:
        discord, renderer = TimedDiscord(), ProgressRenderer()
        editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
        for number in range(1, 100):
            editor.schedule(*renderer.render(event(number)))
            await asyncio.sleep(0.1)
        await editor.close()
        return discord

    discord = virtual_time.run(follow())
    assert len(discord.pauses) == int(9.6 / pause)
    assert discord.pauses == pytest.approx([pause] * len(discord.pauses))
