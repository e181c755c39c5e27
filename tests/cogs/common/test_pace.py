"""The pace of edits, in a time of the tests' own: few enough for Discord, and always the latest."""

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
    """Notes what it was sent, and when the sending began and ended."""

    def __init__(self, slowness: float = 0.0) -> None:
        self.taken: list[str] = []
        self.times: list[tuple[float, float]] = []
        self._slowness = slowness

    async def edit(self, page: MessageContent) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.sleep(self._slowness)
        self.taken.append(page.text)
        self.times.append((begun, loop.time()))

    @property
    def pauses(self) -> list[float]:
        return [later - ended for (_, ended), (later, _) in pairwise(self.times)]


Shown = tuple[float, str, float]
"""At what time, what, and for how many seconds it stays at least."""


def edits(shown: Sequence[Shown], discord: TimedDiscord) -> None:
    async def show() -> None:
        editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
        loop = asyncio.get_running_loop()
        for time, text, pause in shown:
            await asyncio.sleep(time - loop.time())
            editor.schedule(lambda text=text: MessageContent(text), pause)
        await asyncio.sleep(60)

    virtual_time.run(show())


def test_each_edit_stays_for_its_own_pause_and_the_next_comes_right_then():
    discord = TimedDiscord()
    edits([(0, "a picture", 3), (1, "a text", 1), (3.4, "more of it", 1), (20, "much later", 1)], discord)
    assert discord.taken == ["a picture", "a text", "more of it", "much later"]
    assert [begun for begun, _ in discord.times] == pytest.approx([0.3, 3.3, 4.3, 20])


def test_of_the_pages_that_come_within_a_pause_the_latest_wins():
    discord = TimedDiscord()
    edits([(number / 10 + 0.05, str(number), 2) for number in range(50)], discord)
    assert discord.taken == ["2", "22", "42", "49"]
    assert discord.pauses == pytest.approx([2, 2, 2])


def test_a_pause_begins_when_discord_has_taken_the_edit():
    discord = TimedDiscord(slowness=5)
    edits([(number / 10 + 0.05, str(number), 2) for number in range(100)], discord)
    assert discord.pauses == pytest.approx([2, 2])
    assert discord.taken == ["2", "72", "99"]


def test_a_page_that_comes_after_a_quiet_while_still_keeps_the_pause_of_the_last():
    discord = TimedDiscord()
    edits([(0, "first", 10), (9, "second", 1)], discord)
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
def test_news_of_a_job_come_every_second_and_a_half_and_pictures_every_three(
    event: Callable[[int], Event], pause: float
) -> None:
    async def follow() -> TimedDiscord:
        discord, status = TimedDiscord(), ProgressRenderer()
        editor = ThrottledEditor(discord.edit, on_lost=lambda: None)
        for number in range(1, 100):
            editor.schedule(*status.render(event(number)))
            await asyncio.sleep(0.1)
        await editor.close()
        return discord

    discord = virtual_time.run(follow())
    assert len(discord.pauses) == int(9.6 / pause)
    assert discord.pauses == pytest.approx([pause] * len(discord.pauses))
