"""The tasks on a server: what it is asked, and what is made of its answers."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from io import BytesIO
from typing import Any

from aiohttp import web
from PIL import Image

from inference.tasks import (
    Answer,
    AskRequest,
    Caption,
    CaptionRequest,
    ChatAnswerRequest,
    CompleteRequest,
    Completion,
    Message,
    SummarizeRequest,
    Summary,
)
from inference.types import Progress
from tests.fakes import PNG
from tests.inference.backends.openai.conftest import Harness
from tests.inference.backends.openai.fake_server import FakeServer, piece, refusing, saying, streaming

TEXT = "The harbour of Lindau opened in 1856. Its lighthouse is 33 metres high."


async def test_a_text_is_continued_where_the_server_can_do_that(harness: Harness, server: FakeServer) -> None:
    server.reply = streaming(piece(" deep"), piece(" and wide."), piece("", "stop"))
    request = CompleteRequest(prompt="The sea is", seed=5, n=2, messages=(Message("user", "So. "),))
    assert await harness.outcome(request) == Completion(" deep and wide.", 5, (" deep and wide.",), "stop", chat=False)
    assert server.paths == ["/v1/completions"] * 2
    assert {body["prompt"] for body in server.bodies} == {"So. The sea is"}
    assert sorted(body["seed"] for body in server.bodies) == [5, 6]


async def test_a_server_that_continues_no_texts_is_asked_as_a_chat_model_from_then_on(
    harness: Harness, server: FakeServer
) -> None:
    async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await (refusing(404) if request.path.endswith("/v1/completions") else saying("Deep."))(request, body)

    server.reply = reply
    for _ in range(2):
        assert await harness.outcome(CompleteRequest(prompt="The sea is", seed=5)) == Completion(
            "Deep.", 5, finish_reason="stop", chat=True
        )
    assert server.paths == ["/v1/completions", "/v1/chat/completions", "/v1/chat/completions"]


async def test_a_text_ends_before_a_stop_string_and_the_connection_with_it(
    harness: Harness, server: FakeServer
) -> None:
    server.reply = streaming(piece("one, tw"), piece("o; three"), *[piece(" more")] * 50, piece("", "length"))
    completion = await harness.outcome(CompleteRequest(prompt="Count", stop=("; ",)))
    assert (completion.text, completion.finish_reason) == ("one, two", "stop")


async def test_an_answer_from_a_text_has_to_be_in_it(harness: Harness, server: FakeServer) -> None:
    server.reply = saying("The lighthouse is 33 metres high.")
    answer = await harness.outcome(AskRequest(question="How high is the lighthouse?", context=TEXT))
    assert isinstance(answer, Answer)
    assert (answer.text, answer.generated) == ("The lighthouse is 33 metres high.", True)
    assert TEXT[slice(*answer.passages[0])].strip() == "Its lighthouse is 33 metres high."
    server.reply = saying("The lighthouse is 99 metres high.")
    assert (await harness.outcome(AskRequest(question="How high is the lighthouse?", context=TEXT))).text == ""


async def test_a_question_is_answered_from_what_the_model_knows(harness: Harness, server: FakeServer) -> None:
    server.reply = saying("It is 330 metres", " high.")
    answer = await harness.outcome(ChatAnswerRequest(question="How high is the tower?"))
    assert answer == Answer("It is 330 metres high.", 0.0, 0, 0, generated=True)


async def test_a_long_text_is_summarized_in_parts_by_a_few_requests_at_one_time(
    harness: Harness, server: FakeServer
) -> None:
    two_at_work = asyncio.Event()

    async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if server.open == 2:
            two_at_work.set()
        await two_at_work.wait()
        return await saying("Here is a summary:\n\n", "The harbour opened in 1856.")(request, body)

    server.reply = reply
    harness.set(max_concurrency=4)
    _, caller = harness.submit(SummarizeRequest(text=f"{TEXT} " * 400))
    summary = await caller.outcome()
    assert isinstance(summary, Summary)
    assert summary.parts > 4
    assert summary.sections[0].summary == "The harbour opened in 1856."
    assert server.most_open == 2  # others may have their turn
    progress = [event for event in caller.events if isinstance(event, Progress)]
    assert progress[summary.parts - 1] == Progress(summary.parts, summary.parts)


async def test_a_picture_is_sent_as_a_jpeg_in_the_message(harness: Harness, server: FakeServer) -> None:
    server.reply = saying("A red", " dot.")
    assert await harness.outcome(CaptionRequest(image=PNG)) == Caption("A red dot.")
    picture, text = server.bodies[0]["messages"][0]["content"]
    kind, _, data = picture["image_url"]["url"].partition(",")
    assert kind == "data:image/jpeg;base64"
    red, green, _ = Image.open(BytesIO(b64decode(data))).convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    assert red > 200 > green
    assert text["text"].startswith("Describe this picture")


async def test_a_question_about_a_picture_is_asked_with_it(harness: Harness, server: FakeServer) -> None:
    server.reply = saying("Red.")
    answer = await harness.outcome(ChatAnswerRequest(question="Which colour?", image=PNG, context="A dot."))
    assert answer == Answer("Red.", 0.0, 0, 0, generated=True)
    assert server.bodies[0]["messages"][0]["content"][1]["text"] == "Text:\nA dot.\n\nQuestion: Which colour?"
