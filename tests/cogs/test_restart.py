"""Test that every accepted request ends in its own message, also if the process ends in the middle."""

from __future__ import annotations

from typing import cast

import pytest

from cogs.client import Inkling
from cogs.common import ReplySessions
from inference import Completion, Config, Event, InferenceError, ModelSpec, Queued, Request, Result, Started
from storage import JobTable
from tests.cogs.imagine.images import press, restart
from tests.cogs.stage import Stage, buttons, first, followup
from tests.fakes import PNG, plausible

_NO_TRACE: list[Event | InferenceError] = [Queued(3, 40.0)]


def wait(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
    return _NO_TRACE


async def kill(stage: Stage, config: Config) -> None:
    """Replace the bot without letting the old one say anything, or change its file of jobs."""
    bot = cast(Inkling, stage.bot)
    await bot.store.close()
    bot.sessions = ReplySessions(bot)  # the earlier sessions can't write any more
    await restart(stage, config)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("complete", {"prompt": "Once"}),
        ("ask", {"question": "Who?"}),
        ("ask", {"question": "Who?", "text": "Ann did."}),
        ("ask", {"question": "Who?", "text": "Ann did.", "own-words": True}),
        ("summarize", {"text": "word " * 60}),
        ("fill", {"text": "A ___ day."}),
        ("mood", {"text": "fine"}),
        ("imagine", {"prompt": "a fox", "count": 2}),
    ],
)
async def test_a_request_goes_on_after_a_kill_with_the_same_seed_in_the_same_message(
    stage: Stage, config: Config, command: str, options: dict[str, object]
):
    stage.backend.script = wait
    message = first(await stage.alice.slash(stage.channel, command, **options))
    await kill(stage, config)
    stage.backend.script = plausible
    await restart(stage, config)
    before, after = stage.backend.requests[0], stage.backend.requests[-1]
    expected = await _answer_without_a_kill(stage, command, options, getattr(before, "seed", None))
    assert getattr(after, "seed", None) == getattr(before, "seed", None)
    assert message.content == expected
    assert len(await cast(Inkling, stage.bot).store.jobs.open_jobs()) == 0


async def _answer_without_a_kill(stage: Stage, command: str, options: dict[str, object], seed: int | None) -> str:
    repeated = options | ({} if seed is None or command == "ask" else {"seed": seed})
    return first(await stage.alice.slash(stage.channel, command, **repeated)).content


async def test_a_drawing_goes_on_after_a_kill_right_after_its_acknowledgement(
    stage: Stage, config: Config, monkeypatch: pytest.MonkeyPatch
):
    stage.backend.script = wait
    with monkeypatch.context() as patched:
        patched.setattr(JobTable, "set_work", _do_not_store)
        message = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    await kill(stage, config)
    stage.backend.script = plausible
    await restart(stage, config)
    assert message.content.startswith("> a fox\n-# 64 × 64")


async def test_a_caption_goes_on_after_a_kill_though_its_picture_is_gone(stage: Stage, config: Config):
    stage.backend.script = wait
    result = await stage.alice.slash(stage.channel, "caption", image=("a.png", PNG))
    await kill(stage, config)
    stage.backend.script = plausible
    await restart(stage, config)
    assert first(result).content == "a cat on a mat"


async def test_a_mention_goes_on_after_a_kill(stage: Stage, config: Config):
    stage.backend.script = wait
    await stage.alice.send(stage.channel, f"{stage.mention} summarize {'word ' * 60}")
    await kill(stage, config)
    stage.backend.script = plausible
    await restart(stage, config)
    assert stage.last_text.startswith("In short: ")
    assert len(stage.channel.history()) == 2


async def test_another_variant_keeps_the_text_until_it_is_there_also_over_a_kill(stage: Stage, config: Config):
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    stage.backend.script = wait
    await press(stage, message, "Try another")
    assert message.content == "**Once** and then\nNumber 3 in line, about 40 s"
    await kill(stage, config)
    assert message.content.startswith("**Once** and then\n")
    stage.backend.script = lambda spec, request: [Result(Completion(" upon", 5))]
    await restart(stage, config)
    assert message.content == "**Once** upon\n-# seed 5"
    assert "2/2" in buttons(message)


async def test_cancel_works_after_a_kill(stage: Stage, config: Config):
    stage.backend.script = wait
    message = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    await kill(stage, config)
    await stage.alice.click(message, label="Cancel")
    assert message.content == "Cancelled."
    assert stage.backend.tickets[-1].cancelled


async def test_a_request_that_ended_the_process_twice_is_not_tried_again(stage: Stage, config: Config):
    stage.backend.script = lambda spec, request: [Started()]
    message = first(await stage.alice.slash(stage.channel, "complete", prompt="x"))
    await kill(stage, config)
    assert len(stage.backend.requests) == 2
    await kill(stage, config)
    assert len(stage.backend.requests) == 2
    assert message.content.startswith("I was ended 2 times while a model worked on this")


async def test_a_proper_restart_is_no_reason_to_give_up(stage: Stage, config: Config):
    stage.backend.script = lambda spec, request: [Started()]
    await stage.alice.slash(stage.channel, "complete", prompt="x")
    for count in range(2, 5):
        await restart(stage, config)
        assert len(stage.backend.requests) == count


async def test_requests_go_on_in_the_order_in_which_they_came(stage: Stage, config: Config):
    stage.backend.script = wait
    for number in range(5):
        await stage.alice.slash(stage.channel, "complete", prompt=f"number {number}")
    await kill(stage, config)
    prompts = [getattr(request, "prompt", "") for request in stage.backend.requests]
    assert prompts[5:] == prompts[:5]


async def test_a_press_below_a_picture_goes_on_after_a_kill(stage: Stage, config: Config):
    message = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    stage.backend.script = wait
    result = await press(stage, message, "Re-roll")
    await kill(stage, config)
    stage.backend.script = plausible
    await restart(stage, config)
    assert "Another try at" in followup(result).content
    assert buttons(followup(result))[-1] == "Delete"


async def test_a_press_uses_its_new_message_after_a_kill_right_after_it_was_sent(
    stage: Stage, config: Config, monkeypatch: pytest.MonkeyPatch
):
    message = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    stage.backend.script = lambda spec, request: []
    with monkeypatch.context() as patched:
        patched.setattr(JobTable, "move", _do_not_store)
        await press(stage, message, "Re-roll")
        await press(stage, message, "Re-roll")
    await kill(stage, config)
    stage.backend.script = plausible
    await restart(stage, config)
    assert len(stage.channel.history()) == 3
    assert sum("Another try at" in each.content for each in stage.channel.history()) == 2


async def _do_not_store(*_: object) -> None:
    """Stand for a process that ends before it can store what it has learned."""


async def test_a_mention_that_came_while_the_bot_was_away_is_answered_once(stage: Stage, config: Config):
    await stage.bot.close()
    asked = await stage.alice.send(stage.channel, f"{stage.mention} summarize {'word ' * 60}")
    await restart(stage, config)
    assert stage.last_text.startswith("In short: ")
    await restart(stage, config)
    answers = [each for each in stage.channel.history() if each.reference and each.reference.message_id == asked.id]
    assert len(answers) == 1


async def test_an_old_mention_is_not_answered(stage: Stage, config: Config):
    await stage.bot.close()
    await stage.alice.send(stage.channel, f"{stage.mention} summarize {'word ' * 60}")
    await stage.env.advance_time(6 * 60)
    await restart(stage, config)
    assert len(stage.channel.history()) == 1
