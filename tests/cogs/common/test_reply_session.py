"""The message of a job: it shows the progress, and always ends with a result or an error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from simcord import Env

from cogs.client import Inkling
from cogs.common import AttachedFile, MessageContent, Responder
from cogs.common.rules import RequestOrigin
from cogs.common.target import Target
from inference import (
    ChatReply,
    Completion,
    Config,
    GeneratedImage,
    GenerationFailed,
    ImageResult,
    InferenceError,
    Loading,
    ModelUnavailable,
    OperatorStep,
    Overloaded,
    PartialText,
    Progress,
    Queued,
    Result,
)
from tests.cogs.stage import Stage, buttons, first, refusal
from tests.fakes import PNG

_DONE = Result(Completion(" the end", 1))


def _edits(env: Env) -> list[str]:
    """Return the content of each edit of the message, in order."""
    return [
        request.json["content"]
        for request in env.http_requests
        if request.method == "PATCH" and isinstance(request.json, dict) and "content" in request.json
    ]


async def test_the_message_shows_queue_position_then_loading_then_progress(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(3, 40.0)]
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    assert first(result).content == "> a fox\nNumber 3 in line, about 40 s"
    await stage.env.advance_time(2)
    await stage.event(Queued(1))
    assert first(result).content == "> a fox\nNext in line"
    await stage.env.advance_time(2)
    await stage.event(Loading(0.43))
    assert first(result).content == "> a fox\nDownloading the model, 43%"
    await stage.env.advance_time(2)
    await stage.event(Progress(6, 20))
    await stage.env.advance_time(2)
    await stage.event(Progress(10, 20))
    assert first(result).content == "> a fox\n▰▰▰▰▰▱▱▱▱▱ step 10 of 20, about 5 s left"


async def test_the_steps_of_pictures_that_are_drawn_together_are_those_of_each(stage: Stage):
    stage.backend.script = lambda spec, request: [Progress(20, 100, None, 1, 4, 4)]
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox", count=4)
    assert first(result).content.endswith("▰▰▱▱▱▱▱▱▱▱ pictures 1 to 4 of 4, step 5 of 25")


async def test_a_preview_stays_until_the_next_picture_arrives(stage: Stage):
    stage.backend.script = lambda spec, request: [Progress(1, 20), Progress(2, 20, PNG), Progress(3, 20)]
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    assert "step 3 of 20" in first(result).content
    assert [await file.read() for file in first(result).attachments] == [PNG]
    stage.backend.listeners[-1](Progress(4, 20))
    await stage.env.advance_time(2)
    assert "step 3 of 20" in first(result).content, "pictures are not sent again at the pace of texts"
    await stage.env.advance_time(1.1)
    assert "step 4 of 20" in first(result).content
    assert [file.filename for file in first(result).attachments] == ["preview.png"]
    await stage.event(Progress(5, 20, PNG + b"more"))
    await stage.env.advance_time(3)
    assert [await file.read() for file in first(result).attachments] == [PNG + b"more"]
    await stage.event(Result(ImageResult((GeneratedImage(PNG, 5),), 512, 512, 20, 7.5)))
    assert [file.filename for file in first(result).attachments] == ["inkling-5.png"]


async def test_edits_are_throttled_and_only_the_latest_is_shown(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" a")]
    await stage.alice.slash(stage.channel, "complete", prompt="x")
    for text in (" a b", " a b c", " a b c d"):
        stage.backend.listeners[-1](PartialText(text))
    await stage.env.advance_time(1.4)
    assert _edits(stage.env) == ["**x** a ▌"]
    await stage.env.advance_time(0.2)
    assert _edits(stage.env) == ["**x** a ▌", "**x** a b c d ▌"]


async def test_the_result_is_shown_at_once_and_is_the_last_edit(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" a"), PartialText(" b"), PartialText(" c"), _DONE]
    await stage.alice.slash(stage.channel, "complete", prompt="x")
    assert _edits(stage.env)[-1] == "**x** the end\n-# seed 1"
    await stage.env.advance_time(10)
    assert _edits(stage.env)[-1] == "**x** the end\n-# seed 1"


async def test_the_person_who_asked_can_cancel_a_waiting_job(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(2)]
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    assert buttons(first(result)) == ["Cancel"]
    await stage.alice.click(first(result), label="Cancel")
    assert stage.backend.tickets[0].cancelled
    assert first(result).content == "Cancelled."
    assert buttons(first(result)) == []


_LONG = " " + " ".join(f"word{number}" for number in range(400))


async def test_the_partial_text_stays_after_a_failure(stage: Stage):
    error = GenerationFailed("The model broke.")
    stage.backend.script = lambda spec, request: [PartialText(_LONG), error]
    result = await stage.alice.slash(stage.channel, "complete", prompt="Once")
    (request_id,) = stage.backend.request_ids
    assert first(result).content.endswith(f"word399\n-# {error.user_message}\n-# Error {request_id}")
    [file] = first(result).attachments
    assert (await file.read()).decode() == "Once" + _LONG


async def test_a_very_long_partial_text_of_a_stopped_job_is_a_file_without_escapes(stage: Stage):
    stage.backend.script = lambda spec, request: [PartialText(" 2*2 " * 2000)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="Sums:")
    await stage.alice.click(first(result), label="Stop")
    assert first(result).content.endswith("stopped")
    [file] = first(result).attachments
    assert (await file.read()).decode() == "Sums:" + " 2*2 " * 2000


async def test_other_people_can_not_cancel(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(2)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    click = await stage.bob.click(first(result), label="Stop")
    assert refusal(click) == "Only the person who asked can cancel this."
    assert not stage.backend.tickets[0].cancelled
    await stage.event(_DONE)
    assert first(result).content == "**x** the end\n-# seed 1"


async def test_a_finished_job_has_no_cancel_button(stage: Stage):
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    assert "Cancel" not in buttons(first(result))


async def test_a_job_whose_message_is_deleted_is_cancelled(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(2)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    await stage.bot.get_partial_messageable(stage.channel.id).get_partial_message(first(result).id).delete()
    await stage.env.advance_time(2)
    await stage.event(Queued(1))
    assert stage.backend.tickets[0].cancelled
    assert stage.channel.last_message is None


async def test_a_message_deleted_at_the_end_causes_no_error(stage: Stage, caplog: pytest.LogCaptureFixture):
    stage.backend.script = lambda spec, request: [Queued(2)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    await stage.bot.get_partial_messageable(stage.channel.id).get_partial_message(first(result).id).delete()
    await stage.event(_DONE)
    assert not result.followups
    assert "error" not in caplog.text


async def test_a_running_job_shows_that_the_bot_stops(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(2)]
    results = [await person.slash(stage.channel, "complete", prompt="x") for person in (stage.alice, stage.bob)]
    await stage.bot.close()
    assert [first(result).content for result in results] == ["The bot is being restarted. This goes on after that."] * 2
    assert all(ticket.cancelled for ticket in stage.backend.tickets)


async def test_no_sent_message_pings_anybody(stage: Stage):
    long = " long. " * 500
    result = {"chat": ChatReply(long, 1, "stop"), "complete": Completion(long, 1)}
    stage.backend.script = lambda spec, request: [Queued(2), Result(result[request.task])]
    await stage.alice.slash(stage.channel, "complete", prompt="x")
    await stage.alice.send(stage.channel, f"{stage.mention} complete x")
    await stage.alice.send(stage.channel, f"{stage.mention} dance")
    sent = [request.json for request in stage.env.http_requests if isinstance(request.json, dict)]
    texts = [body for body in sent if body.get("content")]
    assert len(texts) == 6
    assert all(body["allowed_mentions"]["parse"] == [] for body in texts)
    assert not any(body["allowed_mentions"].get("replied_user") for body in texts)


async def test_a_failure_shows_its_cause_and_an_id_and_logs_no_second_traceback(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    error = GenerationFailed("The model broke while it was running. Try again.")
    error.__cause__ = RuntimeError("CUDA error: device-side assert at /srv/secret.py")
    stage.backend.script = lambda spec, request: [error]
    with caplog.at_level(logging.ERROR):
        result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    (request_id,) = stage.backend.request_ids
    assert first(result).content == f"{error.user_message}\n-# Error {request_id}"
    assert not first(result).ephemeral
    assert f"error {request_id} in complete: {error.user_message}" in caplog.text
    assert "device-side assert" not in caplog.text


async def test_an_internal_error_gives_a_message_with_an_id(stage: Stage, caplog: pytest.LogCaptureFixture):
    def broken(*_: object) -> list[InferenceError]:
        raise ZeroDivisionError("secret detail")

    stage.backend.script = broken
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    said, _, error_id = first(result).content.partition("\n-# Error ")
    assert said.startswith("Something went wrong on my side.")
    assert f"error {error_id} in complete" in caplog.text
    assert "secret detail" in caplog.text
    assert "Traceback" in caplog.text
    assert "secret" not in said


async def test_a_missing_model_is_reported_and_the_log_says_how_to_fetch_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    step = OperatorStep("Run `fetch {repo}`.", repo="gpt2")
    stage.backend.script = lambda spec, request: [ModelUnavailable("gpt2 is not here. {step}", step=step)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    assert refusal(result) == "gpt2 is not here. The bot's operator can fetch it, and finds in the log how."
    assert "gpt2 is not here. Run `fetch gpt2`." in caplog.text


async def test_a_full_queue_is_reported_in_private(stage: Stage):
    stage.backend.script = lambda spec, request: [Overloaded("The queue is full. Try again in 2 minutes.", 120)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    assert refusal(result) == "The queue is full. Try again in 2 minutes."
    assert stage.channel.history(viewer=stage.bob) == []


async def test_the_result_still_arrives_after_the_token_has_expired(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(9)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    await stage.env.advance_time(16 * 60)
    await stage.event(_DONE)
    assert first(result).content == "**x** the end\n-# seed 1"


async def test_a_private_answer_ends_before_its_token_expires(stage: Stage, config: Config):
    settings = cast(Inkling, stage.bot).store.settings
    await settings.people.change(stage.alice.id, lambda person: replace(person, private=True))
    stage.backend.script = lambda spec, request: [Queued(1)]
    result = await stage.alice.slash(stage.channel, "summarize", text="word " * 50)
    await stage.env.advance_time(14 * 60 + 1)
    assert first(result).content.startswith("Discord leaves a quarter of an hour for a private answer")
    assert stage.backend.tickets[-1].cancelled


async def test_a_temporary_server_error_of_discord_is_ignored(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(9)]
    stage.env.inject_error("PATCH", "/webhooks/*", status=500)
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    await stage.event(_DONE)
    assert first(result).content == "**x** the end\n-# seed 1"


class FailingResponder(Responder):
    """Accepts the first content, then refuses it for some calls."""

    def __init__(self, client: discord.Client, failures: int) -> None:
        origin = RequestOrigin(person=1, guild=None, channel=2, roles=frozenset(), hideable=True)
        target = Target("reply", 1, origin, "complete", 1, 2, False, "", 10**6, "en", "en")
        super().__init__(client, target)
        self.first = ""
        self.files: tuple[AttachedFile, ...] = ()
        self.further: list[str] = []
        self._failures = failures

    async def acknowledge(self) -> None:
        pass

    async def find_message(self, is_taken: Callable[[int], bool]) -> None:
        pass

    async def show(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        if self.first:
            self._may_fail()
        self.first, self.files = content.text, content.files

    async def more(self, content: MessageContent) -> None:
        self._may_fail()
        self.further.append(content.text)

    async def refuse(self, text: str) -> None:
        self.first = text

    def _may_fail(self) -> None:
        self._failures -= 1
        if self._failures >= 0:
            response: Any = SimpleNamespace(status=400, reason="Bad Request")
            raise discord.HTTPException(response, "no")


async def test_further_messages_that_discord_refuses_are_replaced_by_a_file(stage: Stage):
    responder = FailingResponder(stage.bot, 1)
    async with cast(Inkling, stage.bot).sessions.open(responder) as session:
        await session.acknowledge()
        await session.finish(MessageContent(_LONG, plain=_LONG))
    assert responder.first.startswith(" word0 word1")
    assert responder.first.endswith("-# The whole text is in the attached file.")
    assert [file.data.decode() for file in responder.files] == [_LONG]
    assert responder.further == []


async def test_the_shown_part_stays_if_neither_the_rest_nor_a_file_can_be_sent(stage: Stage):
    responder = FailingResponder(stage.bot, 2)
    async with cast(Inkling, stage.bot).sessions.open(responder) as session:
        await session.acknowledge()
        await session.finish(MessageContent(_LONG))
    assert responder.first.startswith(" word0 word1")
    [note] = responder.further
    assert note.startswith("The rest could not be shown. Discord did not accept my message")


async def test_a_result_that_discord_refuses_gives_an_error(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(9)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    stage.env.inject_error("PATCH", "/webhooks/*", status=400)
    await stage.event(_DONE)
    assert refusal(result).startswith("Discord did not accept my message")


async def test_a_request_belongs_to_the_server_where_it_was_asked(stage: Stage):
    await stage.alice.slash(stage.channel, "complete", prompt="x")
    assert stage.backend.groups == [str(stage.guild.id)]
