"""Test that every accepted request ends in its own message, also if the process ends in the middle."""

from __future__ import annotations

from typing import cast

import pytest

from cogs.client import Inkling
from cogs.common import ReplySessions
from cogs.imagine.image_button import ImageButton
from inference import (
    AskRequest,
    Completion,
    Config,
    Event,
    ImagineRequest,
    InferenceError,
    ModelSpec,
    Queued,
    Request,
    Result,
    Started,
)
from storage import JobTable
from tests.cogs.imagine.images import press, restart
from tests.cogs.stage import Stage, buttons, first, followup, refusal
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


async def _do_not_store(*_: object, **__: object) -> None:
    """Stand for a process that ends before it can store what it has learned."""


@pytest.mark.parametrize("label", ["Vary", "Re-roll"])
async def test_a_kill_right_after_a_press_is_told_to_the_person(
    stage: Stage, config: Config, monkeypatch: pytest.MonkeyPatch, label: str
):
    message = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    before = message.content
    with monkeypatch.context() as patched:
        patched.setattr(JobTable, "end", _do_not_store)
        patched.setattr(ImageButton, "press", _do_not_store)
        result = await press(stage, message, label)
    await kill(stage, config)
    assert refusal(result).startswith("I was restarted before I had read everything that this needs.")
    assert message.content == before
    assert await cast(Inkling, stage.bot).store.jobs.open_jobs() == []


async def test_a_mention_that_came_while_the_bot_was_away_is_answered_once(stage: Stage, config: Config):
    await stage.bot.close()
    asked = await stage.alice.send(stage.channel, f"{stage.mention} summarize {'word ' * 60}")
    await restart(stage, config)
    assert stage.last_text.startswith("In short: ")
    await restart(stage, config)
    answers = [each for each in stage.channel.history() if each.reference and each.reference.message_id == asked.id]
    assert len(answers) == 1


async def test_a_command_before_an_answered_one_is_answered_too(
    stage: Stage, config: Config, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patched:
        patched.setattr(Inkling, "invoke", _do_not_store)  # as if the process had ended just now
        first = await stage.alice.send(stage.channel, f"{stage.mention} summarize {'word ' * 60}")
    await stage.alice.send(stage.channel, f"{stage.mention} summarize {'other ' * 60}")
    assert len(stage.backend.requests) == 1
    await restart(stage, config)
    assert len(stage.backend.requests) == 2
    [answer] = [each for each in stage.channel.history() if each.reference and each.reference.message_id == first.id]
    assert answer.content.startswith("In short: ")


async def test_an_old_mention_is_not_answered(stage: Stage, config: Config):
    await stage.bot.close()
    await stage.alice.send(stage.channel, f"{stage.mention} summarize {'word ' * 60}")
    await stage.env.advance_time(6 * 60)
    await restart(stage, config)
    assert len(stage.channel.history()) == 1


async def test_a_question_before_several_jobs_can_be_answered_after_a_kill(stage: Stage, config: Config):
    asked = first(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue} fox", seed=5))
    await kill(stage, config)
    drawn = await stage.alice.click(asked, label="Draw 2")
    assert asked.content == "The result comes in a new message."
    assert not asked.components
    assert sorted(message.content.splitlines()[0] for message in drawn.followups) == ["> a blue fox", "> a red fox"]


async def test_drawings_begun_by_a_question_go_on_after_a_kill_and_are_not_drawn_twice(stage: Stage, config: Config):
    asked = first(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue} fox", seed=5))
    stage.backend.script = wait
    drawn = await stage.alice.click(asked, label="Draw 2")
    await kill(stage, config)
    stage.backend.script = plausible
    await restart(stage, config)
    assert sorted(message.content.splitlines()[0] for message in drawn.followups) == ["> a blue fox", "> a red fox"]
    assert len(stage.channel.history()) == 2


async def test_a_region_can_be_chosen_after_a_kill(stage: Stage, config: Config):
    options = {"prompt": "a fox", "image": ("a.png", PNG), "region": "pick on the picture"}
    asked = first(await stage.alice.slash(stage.channel, "imagine", **options))
    await stage.alice.click(asked, label="3")
    await kill(stage, config)
    await stage.alice.click(asked, label="5")
    assert (asked.attachments[0].description or "").endswith("Chosen: cells 3 5.")
    await kill(stage, config)
    await stage.alice.click(asked, label="Draw")
    [request] = stage.backend.requests
    assert isinstance(request, ImagineRequest)
    assert (request.region, request.image) == ("cells 3 5", PNG)


async def test_a_question_that_was_being_asked_during_a_kill_is_asked_after_it(
    stage: Stage, config: Config, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patched:
        patched.setattr(JobTable, "end", _do_not_store)
        asked = first(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue} fox"))
    await kill(stage, config)
    assert asked.content.startswith("This makes 2 jobs:")
    await stage.alice.click(asked, label="Draw 2")
    assert len(stage.backend.requests) == 2
    assert await cast(Inkling, stage.bot).store.questions.count_of(stage.alice.id) == 0


async def test_a_question_is_closed_in_time_also_after_a_kill(stage: Stage, config: Config):
    asked = first(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue} fox"))
    await kill(stage, config)
    await stage.env.advance_time(640)
    assert asked.content == "You did not choose within ten minutes, so nothing was drawn."
    assert not asked.components
    assert await cast(Inkling, stage.bot).store.questions.count_of(stage.alice.id) == 0


async def test_a_form_that_was_open_during_a_kill_can_be_submitted(stage: Stage, config: Config):
    drawn = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox", seed=7))
    form = await press(stage, drawn, "Remix")
    await kill(stage, config)
    fields = {"prompt": "a red fox", "negative": "", "seed": "7", "settings": "Steps: 25"}
    result = await stage.alice.submit_modal(form, fields)
    assert first(result).content.startswith("> a red fox")
    assert f"Remix of {drawn.message.jump_url}" in first(result).content


async def test_a_form_of_a_menu_that_was_open_during_a_kill_can_be_submitted(stage: Stage, config: Config):
    message = await stage.bob.send(stage.channel, "We meet at noon.", attachments=[("a.png", PNG)])
    remix = await stage.alice.context_menu(stage.channel, "Remix image", message)
    await kill(stage, config)
    await stage.alice.submit_modal(remix, {"prompt": "a hare", "negative": "", "strength": ""})
    request = stage.backend.requests[-1]
    assert isinstance(request, ImagineRequest)
    assert (request.prompt, request.image) == ("a hare", PNG)
    question = await stage.alice.context_menu(stage.channel, "Ask about this", message)
    await kill(stage, config)
    await stage.alice.submit_modal(question, {"question": "When?"})
    request = stage.backend.requests[-1]
    assert isinstance(request, AskRequest)
    assert (request.question, request.context) == ("When?", "We meet at noon.")


async def test_a_form_that_was_open_for_too_long_says_so(stage: Stage, config: Config):
    message = await stage.bob.send(stage.channel, "We meet at noon.", attachments=[("a.png", PNG)])
    form = await stage.alice.context_menu(stage.channel, "Remix image", message)
    await stage.env.advance_time(16 * 60)
    result = await stage.alice.submit_modal(form, {"prompt": "a hare", "negative": "", "strength": ""})
    assert refusal(result).startswith(
        "This form was open for more than a quarter of an hour, or its message was deleted."
    )
    assert refusal(result).endswith("here is what you wrote:\n```\na hare\n```")
