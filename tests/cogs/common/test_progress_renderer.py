"""What the message says while a request is running, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from cogs.common.progress_renderer import ProgressRenderer
from inference import Event, Loading, Progress, Queued, Started
from tests.cogs.common import virtual_time


def lines(events: Sequence[tuple[float, Event]]) -> list[str]:
    """Return what is shown after each event; an event comes so many seconds after the last one."""

    async def follow() -> list[str]:
        renderer, shown = ProgressRenderer(), list[str]()
        for pause, event in events:
            await asyncio.sleep(pause)
            render, _ = renderer.render(event)
            shown.append(render().text)
        return shown

    return virtual_time.run(follow())


def test_the_time_left_is_what_the_steps_so_far_took():
    assert lines([(0, Progress(1, 100)), (10, Progress(11, 100))])[-1].endswith("step 11 of 100, about 89 s left")


@pytest.mark.parametrize("event", [Queued(1), Loading(), Started()])
def test_the_time_left_is_measured_anew_when_a_request_starts_again(event: Event):
    before: list[tuple[float, Event]] = [(0, Progress(1, 100)), (10, Progress(11, 100)), (600, event)]
    first, later = lines([*before, (60, Progress(1, 100)), (10, Progress(11, 100))])[-2:]
    assert first.endswith("step 1 of 100")
    assert later.endswith("step 11 of 100, about 89 s left")


def test_a_preview_of_a_lost_device_is_not_shown_again():
    async def files() -> list[int]:
        renderer = ProgressRenderer()
        events = [Progress(1, 9, b"a"), Progress(2, 9), Started(), Progress(1, 9)]
        return [len(renderer.render(event)[0]().files) for event in events]

    assert virtual_time.run(files()) == [1, 1, 0, 0]


def test_who_waits_for_a_device_that_is_away_reads_why():
    assert lines([(0, Queued(1, device_is_away=True)), (0, Queued(2, 30.0, True)), (0, Queued(1))]) == [
        "Next in line. The device for this is away; it starts when one is back.",
        "Number 2 in line. The device for this is away; it starts when one is back.",
        "Next in line",
    ]
