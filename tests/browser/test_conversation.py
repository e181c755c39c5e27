"""Conversations on the page of the preview: what it offers to say, threads, and direct messages."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from inference import CaptionRequest, ChatRequest
from preview.pictures import red_apple
from tests.browser.conftest import Open
from tests.browser.driver import Driver
from tests.fakes import FakeBackend


def examples(person: Driver) -> Locator:
    return person.page.get_by_role("group", name="Things to try").get_by_role("button")


def example(person: Driver, text: str) -> Locator:
    return examples(person).filter(has_text=text)


def channel(person: Driver, name: str) -> Locator:
    return person.page.get_by_label("Channels").get_by_role("button", name=name)


async def open_channel(person: Driver, name: str) -> None:
    await channel(person, name).click()
    await expect(channel(person, name)).to_have_attribute("aria-current", "page")


async def test_the_first_things_to_try_are_things_to_say(open_preview: Open):
    person = await open_preview(FakeBackend())
    await expect(examples(person).nth(0)).to_have_text("@Inkling What is a good name for a boat?")
    await expect(examples(person).nth(1)).to_have_text("@Inkling What is in this picture?")
    await expect(examples(person).nth(2)).to_have_text("/chat")
    await expect(examples(person).last).to_be_in_viewport(ratio=1)


async def test_something_to_say_is_sent_with_enter_as_a_mention_and_answered(open_preview: Open):
    backend = FakeBackend()
    person = await open_preview(backend)
    await example(person, "boat").click()
    await expect(person.composer).to_have_value("@Inkling What is a good name for a boat?")
    await person.enter()
    await person.sees("Well met.")
    await expect(person.messages.nth(-2).locator(".mention")).to_have_text("@Inkling")
    (request,) = backend.requests
    assert isinstance(request, ChatRequest)
    assert request.messages[-1].content.endswith("What is a good name for a boat?")


async def test_the_example_about_a_picture_replies_to_the_newest_one(open_preview: Open):
    backend = FakeBackend()
    person = await open_preview(backend)
    await example(person, "picture").click()
    await expect(person.page.locator("#reply-label")).to_contain_text("Then I hope for sun")
    await person.enter()
    await person.sees("apple.png: a cat on a mat")
    caption, request = backend.requests
    assert isinstance(caption, CaptionRequest)
    assert caption.image == red_apple()
    assert isinstance(request, ChatRequest)
    assert request.messages[-1].content.endswith("What is in this picture?")


async def test_without_a_picture_no_example_is_about_one(open_preview: Open):
    person = await open_preview(FakeBackend())
    await expect(example(person, "picture")).to_be_visible()
    await open_channel(person, "after-dark")
    await expect(example(person, "boat")).to_be_visible()
    await expect(example(person, "picture")).to_be_hidden()


async def test_an_example_takes_the_place_of_the_one_before(open_preview: Open, page: Page):
    person = await open_preview(FakeBackend())
    await page.wait_for_function("() => simcordPreview.commandPicker.catalog.state === 'ready'", polling=100)
    await example(person, "picture").click()
    await expect(page.locator("#reply-context")).to_be_visible()
    await example(person, "boat").click()
    await expect(page.locator("#reply-context")).to_be_hidden()
    await example(person, "/imagine").click()
    await expect(page.locator(".command-chip")).to_be_visible()
    await example(person, "picture").click()
    await expect(page.locator(".command-chip")).to_have_count(0)
    await expect(person.composer).to_have_value("@Inkling What is in this picture?")
    await expect(page.locator("#reply-context")).to_be_visible()


async def test_a_thread_is_opened_by_its_mention_and_needs_no_further_mention(open_preview: Open, page: Page):
    backend = FakeBackend()
    person = await open_preview(backend)
    await page.wait_for_function("() => simcordPreview.commandPicker.catalog.state === 'ready'", polling=100)
    await example(person, "/chat").click()
    await person.enter()
    await person.message("Let's talk in").get_by_role("link", name="#Maya and Inkling").click()
    await expect(page.locator("#channel-name")).to_have_text("Maya and Inkling")
    await person.sees("I answer every message here.")
    await person.type("Hello")
    await person.enter()
    await person.sees("Well met.")
    (request,) = backend.requests
    assert isinstance(request, ChatRequest)
    assert [message.role for message in request.messages] == ["user"]


async def test_a_new_thread_is_listed_below_its_channel(open_preview: Open):
    person = await open_preview(FakeBackend())
    await person.slash("chat", topic="Boats")
    entries = person.page.get_by_label("Channels").get_by_role("button")
    await expect(entries).to_have_text(["# general", "↳ Boats", "# after-dark", "@ Inkling"])
    await open_channel(person, "Boats")
    await person.sees("I answer every message here.")


async def test_a_thread_is_opened_by_the_notice_of_it(open_preview: Open, page: Page):
    person = await open_preview(FakeBackend())
    await person.slash("chat", topic="Boats")
    await person.message("started a thread").get_by_role("link", name="Boats").click()
    await expect(page.locator("#channel-name")).to_have_text("Boats")


async def test_direct_messages_are_answered(open_preview: Open, page: Page):
    person = await open_preview(FakeBackend())
    await open_channel(person, "@ Inkling")
    await expect(page.locator("#viewer-picker option")).to_have_text(["Maya"])
    await person.type("Hello")
    await person.enter()
    await person.sees("Well met.")
    await expect(person.messages.last.get_by_role("button", name="Apps")).to_have_count(0)
