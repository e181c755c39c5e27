"""Test that a bot works with restored data. The backup is made while it runs."""

from __future__ import annotations

import asyncio
from typing import cast

from cogs.client import Inkling
from inference import Config, Event, InferenceError, ModelSpec, Queued, Request
from storage import back_up, restore
from tests.cogs.imagine.images import grid, newest_request, press, restart, stored_count
from tests.cogs.stage import Stage, first
from tests.fakes import forget_all_of, plausible


def wait(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
    return [Queued(3, 40.0)]


async def test_after_a_restore_buttons_work_and_the_requests_that_waited_are_answered(stage: Stage, config: Config):
    picture = await grid(stage)
    stage.backend.script = wait
    waiting = first(await stage.alice.slash(stage.channel, "fill", text="A ___ day."))
    backup = config.data / "backup.zip"
    await asyncio.to_thread(back_up, config.data, backup)
    await forget_all_of(cast(Inkling, stage.bot).store, stage.alice.id)
    assert await stored_count(stage) == 0
    await stage.bot.close()

    await asyncio.to_thread(restore, backup, config.data)
    stage.backend.script = plausible
    await restart(stage, config)
    assert "**role**" in waiting.content
    await press(stage, picture, "V1")
    assert newest_request(stage).prompt == "a fox"
    assert await stored_count(stage) == 2
